/** Control totals are exact, in numbers or beyond them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ExactSum, scaled } from '../../../../lib/map/exact-sum.ts'
import { add, compareDecimals, decimal, multiply, toText, ZERO } from '../../../../lib/model/decimal.ts'

const text = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 4 }))
  .map(([unscaled, scale]) => toText({ unscaled, scale }))

test('a sum of products equals the same sum in exact arithmetic, large or small', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.maxSafeInteger())), pairs => {
      const sum = new ExactSum(4)
      let exact = ZERO
      for (const [amount, pieces] of pairs) {
        sum.addProduct(scaled(amount, 4), scaled(pieces, 0))
        exact = add(exact, multiply(decimal(amount), decimal(String(pieces))))
      }
      assert.equal(compareDecimals(sum.value(), exact), 0)
    }),
  )
})

test('ten million cents are no float', () => {
  const sum = new ExactSum(2)
  for (let index = 0; index < 100_000; index += 1) sum.add(scaled('0.1', 2))
  assert.equal(toText(sum.value()), '10000')
})
