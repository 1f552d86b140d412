import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { Random } from '../ports/ports.ts';

const ivBytes = 12;
const tagBytes = 16;
const keyIdBytes = 4;

/** Encrypts secrets at rest. `owner` is the public id of what they belong to: sealed for one, they open for no other. */
export interface Vault {
  seal(text: string, owner: string): Buffer;
  /** Throws when the key, the owner or the bytes are not the ones it was sealed with. */
  open(sealed: Buffer, owner: string): string;
}

/**
 * AES-256-GCM (NIST SP 800-38D) with the owner as additional data. Layout: key id (4 bytes, so that the key can change
 * one day), initialization vector (12), tag (16), ciphertext.
 */
export function makeVault(key: Buffer, random: Pick<Random, 'bytes'>): Vault {
  const keyId = createHash('sha256').update('posthorn key id').update(key).digest().subarray(0, keyIdBytes);
  return {
    seal(text, owner) {
      const iv = random.bytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([keyId, iv, cipher.getAuthTag(), body]);
    },
    open(sealed, owner) {
      if (!sealed.subarray(0, keyIdBytes).equals(keyId)) throw new Error('sealed with another secret key');
      const iv = sealed.subarray(keyIdBytes, keyIdBytes + ivBytes);
      const tag = sealed.subarray(keyIdBytes + ivBytes, keyIdBytes + ivBytes + tagBytes);
      // Without the length Node would take a tag of four bytes, which can be guessed.
      const options = { authTagLength: tagBytes };
      const decipher = createDecipheriv('aes-256-gcm', key, iv, options).setAAD(Buffer.from(owner)).setAuthTag(tag);
      const body = sealed.subarray(keyIdBytes + ivBytes + tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
}
