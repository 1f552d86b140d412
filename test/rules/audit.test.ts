import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditRecord, ChainedRecord } from '../../src/core/ports/audit-store.ts';
import {
  type ChainFault,
  type ChainLink,
  chainStart,
  endFault,
  linkHash,
  nextLink,
} from '../../src/core/rules/audit.ts';
import { auditActions, faces, principalKinds } from '../../src/core/vocabulary.ts';

const workspace = 'wsp_1';
const facts = fc.option(fc.dictionary(fc.string(), fc.string()).map((one) => JSON.stringify(one)));
const fields = fc.record({
  at: fc.nat(),
  action: fc.constantFrom(...auditActions),
  target: fc.string(),
  principalKind: fc.constantFrom(...principalKinds),
  principalKeyId: fc.option(fc.string()),
  principalName: fc.string(),
  face: fc.constantFrom(...faces),
  client: fc.option(fc.string()),
  before: facts,
  after: facts,
});

function chainOf(records: Omit<AuditRecord, 'seq'>[], of = workspace): ChainedRecord[] {
  let previous = chainStart.hash;
  return records.map((record, index) => {
    const row = { ...record, seq: index + 1 };
    previous = linkHash(previous, of, row);
    return { ...row, hash: previous };
  });
}
const headOf = (rows: ChainedRecord[]) => ({ count: rows.length, hash: rows.at(-1)?.hash ?? chainStart.hash });

function check(rows: ChainedRecord[], head: ReturnType<typeof headOf>): ChainFault | null {
  let last: ChainLink = chainStart;
  for (const row of rows) {
    const next = nextLink(last, workspace, row);
    if ('fault' in next) return next;
    last = next;
  }
  return endFault(last, head);
}

const chains = fc.array(fields, { minLength: 1, maxLength: 12 }).map((records) => chainOf(records));
const chainAndRow = chains.chain((rows) => fc.tuple(fc.constant(rows), fc.nat({ max: rows.length - 1 })));

describe('the chain', () => {
  it('is the published one', () => {
    const row: AuditRecord = {
      seq: 1,
      at: 1_790_000_000_000,
      action: 'workspace.create',
      target: 'wsp_1',
      principalKind: 'local',
      principalKeyId: null,
      principalName: 'first start',
      face: 'cli',
      client: null,
      before: null,
      after: '{"name":"default"}',
    };
    // printf over 32 zero bytes and the array as text, through sha256sum.
    expect(linkHash(chainStart.hash, workspace, row).toString('hex')).toBe(
      'f9ae11b2a7d3bc0c9ac21c648e103c00329c97d6b929a59a4c8c57a6e13a6b1b',
    );
  });

  it('that nobody touched is whole, the empty one too', () => {
    expect(check([], headOf([]))).toBeNull();
    fc.assert(fc.property(chains, (rows) => check(rows, headOf(rows)) === null));
  });

  it('shows every change of every field', () => {
    fc.assert(
      fc.property(chainAndRow, fields, ([rows, at], other) => {
        const field = Object.keys(other).find((name) => Reflect.get(other, name) !== Reflect.get(rows[at] ?? {}, name));
        fc.pre(field !== undefined);
        const forged = rows.with(at, {
          ...(rows[at] as ChainedRecord),
          [field ?? '']: Reflect.get(other, field ?? ''),
        });
        expect(check(forged, headOf(rows))).toEqual({ seq: at + 1, fault: 'changed' });
      }),
    );
  });

  it('shows a changed hash, at the row or behind it', () => {
    fc.assert(
      fc.property(chainAndRow, ([rows, at]) => {
        const forged = rows.with(at, { ...(rows[at] as ChainedRecord), hash: Buffer.alloc(32, 1) });
        expect(check(forged, headOf(rows))).toEqual({ seq: at + 1, fault: 'changed' });
      }),
    );
  });

  it('shows a row that is gone, the last ones too', () => {
    fc.assert(
      fc.property(chainAndRow, fc.nat({ max: 3 }), ([rows, at], more) => {
        const forged = rows.toSpliced(at, 1 + more);
        expect(check(forged, headOf(rows))).toEqual({ seq: at + 1, fault: 'missing' });
      }),
    );
  });

  it('shows a row that was added, between others and at the end', () => {
    fc.assert(
      fc.property(chainAndRow, fields, ([rows, at], extra) => {
        const longer = chainOf([...rows, extra]);
        expect(check(longer, headOf(rows))).toEqual({ seq: rows.length + 1, fault: 'added' });
        const twice = rows.toSpliced(at, 0, rows[at] as ChainedRecord);
        expect(check(twice, headOf(rows))?.seq).toBe(at + 2);
      }),
    );
  });

  it('fits its own workspace only', () => {
    fc.assert(
      fc.property(fc.array(fields, { minLength: 1 }), (records) => {
        const theirs = chainOf(records, 'wsp_2');
        expect(check(theirs, headOf(theirs))).toEqual({ seq: 1, fault: 'changed' });
      }),
    );
  });

  it('shows an end that does not belong to it', () => {
    fc.assert(
      fc.property(chains, (rows) => {
        const head = { count: rows.length, hash: Buffer.alloc(32, 2) };
        expect(check(rows, head)).toEqual({ seq: rows.length, fault: 'changed' });
      }),
    );
  });
});
