import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** X.509 certificates that no tool would make: every name in them is a text of one's choice (RFC 5280, in DER by hand). */

export interface Identity {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
}
export interface Authority extends Identity {
  /** A certificate that this authority vouches for, with `text` as every name in it. */
  issue(text: string): Identity;
}

/** Six of them have to fit into the two bytes of a length. */
const nameCharactersMax = 2_000;

const sequence = (...parts: Buffer[]) => encode(0x30, ...parts);
const oid = (hex: string) => encode(0x06, Buffer.from(hex, 'hex'));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const nameParts = { commonName: oid('550403'), organization: oid('55040a'), unit: oid('55040b') };
const validity = sequence(...['200101000000Z', '491231235959Z'].map((time) => encode(0x17, Buffer.from(time))));
const yes = Buffer.from([0x01, 0x01, 0xff]);
const isAuthority = sequence(oid('551d13'), yes, encode(0x04, sequence(yes)));

export function makeAuthority(name: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pem('PRIVATE KEY', pair.privateKey.export({ type: 'pkcs8', format: 'der' }));
  const make = (subject: string, extension: Buffer) =>
    pem('CERTIFICATE', certificate({ issuer: name, subject, extension, ...pair }));
  const issue = (text: string) => {
    const names = text.slice(0, nameCharactersMax);
    return { cert: make(names, otherNames(names)), key };
  };
  return { cert: make(name, isAuthority), key, issue };
}

interface Filled {
  issuer: string;
  subject: string;
  extension: Buffer;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

function certificate({ issuer, subject, extension, publicKey, privateKey }: Filled): Buffer {
  const version3 = encode(0xa0, encode(0x02, Buffer.from([2])));
  const serial = encode(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const keyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const extensions = encode(0xa3, sequence(extension));
  const names = [nameOf(issuer), validity, nameOf(subject)];
  const signed = sequence(version3, serial, ecdsaWithSha256, ...names, keyInfo, extensions);
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', signed, privateKey)]);
  return sequence(signed, ecdsaWithSha256, encode(0x03, signature));
}

function nameOf(text: string): Buffer {
  const parts = Object.values(nameParts);
  return sequence(...parts.map((type) => encode(0x31, sequence(type, encode(0x0c, Buffer.from(text))))));
}

/** subjectAltName: a mail address, a DNS name and a URI. */
function otherNames(text: string): Buffer {
  const names = [0x81, 0x82, 0x86].map((tag) => encode(tag, Buffer.from(text)));
  return sequence(oid('551d11'), encode(0x04, sequence(...names)));
}

function encode(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
