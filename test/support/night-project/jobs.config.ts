/**
 * The timetable of a night's child processes (../night-child.ts): the real one, with the night's
 * changes from a variable.
 */
import { type TimetableChanges, timetableWith } from '../night-timetable.ts'

export default timetableWith(JSON.parse(process.env.NIGHT_CHANGES ?? '{}') as TimetableChanges)
