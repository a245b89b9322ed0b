import { type CipherGCM, type DecipherGCM, createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SealBrokenError } from './seal-broken-error.ts';
import { headerBytes, noncePrefixBytes, saltBytes, tagBytes } from './segment-geometry.ts';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const maxSegments = 2 ** 32;

/**
 * The key and nonces of one sealed part: AES256-GCM-HKDF as Tink publishes it. The part's key is derived from the data
 * key with a random salt and the associated data; a segment's nonce is prefix, number and whether it is the last, so
 * that segments cannot be reordered, dropped or moved to another part.
 */
export class PartCipher {
  /** The first bytes of the sealed part. */
  readonly header: Buffer;
  readonly #key: Buffer;

  private constructor(header: Buffer, material: Uint8Array, associatedData: string) {
    this.header = header;
    const salt = header.subarray(1, 1 + saltBytes);
    this.#key = Buffer.from(hkdfSync('sha256', material, salt, Buffer.from(associatedData, 'utf8'), keyBytes));
  }

  static create(material: Uint8Array, associatedData: string): PartCipher {
    const header = Buffer.concat([Buffer.of(headerBytes), randomBytes(saltBytes + noncePrefixBytes)]);
    return new PartCipher(header, material, associatedData);
  }

  /** @throws SealBrokenError when the bytes are no header */
  static read(header: Uint8Array, material: Uint8Array, associatedData: string): PartCipher {
    if (header.length !== headerBytes || header[0] !== headerBytes)
      throw new SealBrokenError('the header is not one of a sealed part');
    return new PartCipher(Buffer.from(header), material, associatedData);
  }

  seal(segment: number, isLast: boolean): CipherGCM {
    return createCipheriv(algorithm, this.#key, this.#nonce(segment, isLast), { authTagLength: tagBytes });
  }

  open(segment: number, isLast: boolean): DecipherGCM {
    return createDecipheriv(algorithm, this.#key, this.#nonce(segment, isLast), { authTagLength: tagBytes });
  }

  #nonce(segment: number, isLast: boolean): Buffer {
    if (segment >= maxSegments) throw new RangeError('a sealed part holds at most 2^32 segments');
    const nonce = Buffer.alloc(12);
    this.header.copy(nonce, 0, 1 + saltBytes, headerBytes);
    nonce.writeUInt32BE(segment, noncePrefixBytes);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
  }
}
