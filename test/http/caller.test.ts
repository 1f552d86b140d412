import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCallerOf } from '../../src/http/caller.ts';

const callerOf = makeCallerOf(['127.0.0.1/32', '10.0.0.0/8', 'fd00::/8']);

describe('the address of a caller', () => {
  it.each([
    ['203.0.113.9', null, '203.0.113.9'],
    ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['127.0.0.1', null, '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', '198.51.100.1,203.0.113.9 , 10.1.2.3', '203.0.113.9'],
    ['127.0.0.1', '10.9.9.9, 10.1.2.3', '10.9.9.9'],
    ['127.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['127.0.0.1', '[2001:db8::1]:4711', '2001:db8::'],
    ['127.0.0.1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1::'],
    ['fd00::1', '::ffff:203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', '203.0.113.9, unknown', '127.0.0.1'],
    ['127.0.0.1', '203.0.113.9, 0x7f.1', '127.0.0.1'],
    ['10.1.2.3', '203.0.113.9, ,', '10.1.2.3'],
    ['', '203.0.113.9', ''],
  ])('%s with %s is %s', (peer, forwardedFor, caller) => {
    expect(callerOf(peer, forwardedFor)).toBe(caller);
  });

  it('is chosen by nobody but the proxy, whatever stands before what it wrote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (written) => {
        expect(callerOf('127.0.0.1', `${written}, 203.0.113.9`)).toBe('203.0.113.9');
        expect(callerOf('203.0.113.9', written)).toBe('203.0.113.9');
      }),
    );
  });

  it('is that of the connection where no proxy is named', () => {
    expect(makeCallerOf([])('127.0.0.1', '203.0.113.9')).toBe('127.0.0.1');
  });
});
