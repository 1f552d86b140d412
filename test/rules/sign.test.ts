import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  newSecret,
  plainSignature,
  secretFault,
  signedContent,
  signingKey,
  standardSignature,
} from '../../src/core/rules/sign.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const plainSecret = fc
  .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
  .filter((each) => secretFault(each) === null);
const keyBytes = fc.uint8Array({ minLength: 24, maxLength: 64 }).map((bytes) => Buffer.from(bytes));
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
/** The package refuses what is more than five minutes old. */
const nowSeconds = Math.floor(Date.now() / 1_000);

describe('webhook-signature', () => {
  it.each([
    {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      seconds: 1_614_265_330,
      body: '{"test": 2432232314}',
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    {
      secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
      messageId: 'msg_27UH4WbU6Z5A5EzD8u03UvzRbpk',
      seconds: 1_649_367_553,
      body: '{"email":"test@example.com","username":"test_user"}',
      signature: 'v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=',
    },
  ])('is the published one of Standard Webhooks for $messageId', ({ secret, messageId, seconds, body, signature }) => {
    expect(standardSignature(signingKey(secret), signedContent(messageId, seconds, body).content)).toBe(signature);
  });

  it('is what the package standardwebhooks signs, and verifies, with any whsec_ secret', () => {
    fc.assert(
      fc.property(keyBytes, id, text, (bytes, messageId, body) => {
        const secret = newSecret(bytes);
        const signature = standardSignature(signingKey(secret), signedContent(messageId, nowSeconds, body).content);
        const webhook = new Webhook(secret);
        expect(signature).toBe(webhook.sign(messageId, new Date(nowSeconds * 1_000), body));
        const headers = {
          'webhook-id': messageId,
          'webhook-timestamp': String(nowSeconds),
          'webhook-signature': signature,
        };
        expect(() => webhook.verify(body, headers, { jsonParse: false })).not.toThrow();
        expect(() => webhook.verify(`${body} `, headers, { jsonParse: false })).toThrow('No matching signature found');
      }),
    );
  });

  it('is the same for a whsec_ secret whose padding was left out', () => {
    fc.assert(
      fc.property(keyBytes, id, text, (bytes, messageId, body) => {
        const secret = newSecret(bytes);
        const bare = secret.replace(/=+$/, '');
        const signature = standardSignature(signingKey(bare), signedContent(messageId, nowSeconds, body).content);
        expect(secretFault(bare)).toBeNull();
        expect(signature).toBe(
          standardSignature(signingKey(secret), signedContent(messageId, nowSeconds, body).content),
        );
        expect(signature).toBe(new Webhook(bare).sign(messageId, new Date(nowSeconds * 1_000), body));
      }),
    );
  });

  it("is made with any other secret's characters", () => {
    fc.assert(
      fc.property(plainSecret, id, text, (secret, messageId, body) => {
        const webhook = new Webhook(Buffer.from(secret), { format: 'raw' });
        const signed = webhook.sign(messageId, new Date(nowSeconds * 1_000), body);
        expect(standardSignature(signingKey(secret), signedContent(messageId, nowSeconds, body).content)).toBe(signed);
      }),
    );
  });

  it('changes with the id, the time, the body and the secret', () => {
    const key = signingKey('your-signing-secret');
    const signatures = [
      standardSignature(key, signedContent('evt_1', 1, 'a').content),
      standardSignature(key, signedContent('evt_2', 1, 'a').content),
      standardSignature(key, signedContent('evt_1', 2, 'a').content),
      standardSignature(key, signedContent('evt_1', 1, 'b').content),
      standardSignature(signingKey('your-signing-secreT'), signedContent('evt_1', 1, 'a').content),
    ];
    expect(new Set(signatures).size).toBe(signatures.length);
  });
});

describe('X-<Brand>-Signature', () => {
  it('is HMAC-SHA256 of the body in hex: RFC 4231, test cases 1 and 2', () => {
    expect(plainSignature(signingKey('\u000b'.repeat(20)), 'Hi There')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
    expect(plainSignature(signingKey('Jefe'), 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it("is made with the secret's characters, whsec_ and all", () => {
    fc.assert(
      fc.property(fc.oneof(plainSecret, keyBytes.map(newSecret)), text, (secret, body) => {
        expect(plainSignature(signingKey(secret), body)).toBe(createHmac('sha256', secret).update(body).digest('hex'));
      }),
    );
  });
});

describe('the key of a whsec_ secret', () => {
  it('is its decoded bytes: RFC 4231, test cases 3 and 4', () => {
    const cases = [
      ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
      [
        '0102030405060708090a0b0c0d0e0f10111213141516171819',
        'cd'.repeat(50),
        '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
      ],
    ] as const;
    for (const [key, data, digest] of cases) {
      const { standard } = signingKey(newSecret(Buffer.from(key, 'hex')));
      expect(createHmac('sha256', standard).update(Buffer.from(data, 'hex')).digest('hex')).toBe(digest);
    }
  });
});

describe('a secret that a caller chose', () => {
  const whsec = (bytes: number) => newSecret(Buffer.alloc(bytes, 7));

  it.each([
    ['8 characters', 'x'.repeat(8)],
    ['256 characters', 'x'.repeat(256)],
    ['spaces and umlauts', 'päss wörd'],
    ['the prefix in capitals, which is no prefix', 'WHSEC_xx'],
    ['the prefix without its underscore', 'whsecret'],
    ['whsec_ of 24 bytes', whsec(24)],
    ['whsec_ of 64 bytes', whsec(64)],
  ])('may be %s', (_name, secret) => {
    expect(secretFault(secret)).toBeNull();
  });

  it.each([
    ['7 characters', 'x'.repeat(7)],
    ['257 characters', 'x'.repeat(257)],
    ['nothing', ''],
    ['whsec_ of 23 bytes', whsec(23)],
    ['whsec_ of 65 bytes', whsec(65)],
    ['whsec_ alone', 'whsec_'],
    ['whsec_ and no base64', `whsec_${'!'.repeat(32)}`],
    ['whsec_ and base64url', `whsec_${'-_'.repeat(16)}`],
    ['whsec_ and a line break', `${whsec(24)}\n`],
    ['whsec_ and a space inside', whsec(24).replace('Bw', 'B w')],
    ['whsec_ and padding in the middle', `whsec_${'BwcH'.repeat(4)}==${'BwcH'.repeat(4)}`],
    ['whsec_ and a length that no base64 has', `whsec_${'A'.repeat(33)}`],
    ['whsec_ and stray bits at the end', `whsec_${'A'.repeat(33)}B==`],
    ['whsec_ and three signs of padding', `whsec_${'A'.repeat(32)}===`],
  ])('may not be %s', (_name, secret) => {
    expect(secretFault(secret)).toEqual(expect.any(String));
  });

  it('is not repeated by the sentence that refuses it', () => {
    expect(secretFault('hunter2')).not.toContain('hunter2');
    expect(secretFault('whsec_hunter2')).not.toContain('hunter2');
  });

  it('may be any that Posthorn makes', () => {
    fc.assert(
      fc.property(keyBytes, (bytes) => {
        expect(newSecret(bytes)).toMatch(/^whsec_[A-Za-z0-9+/]+={0,2}$/);
        expect(secretFault(newSecret(bytes))).toBeNull();
      }),
    );
  });
});
