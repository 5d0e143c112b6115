import { mint, signerOf, type Change, type CommonRow, type Scene } from "./token-kind.fixture.js";

/** A signature is one number under one text, written in one way. */
export const SIGNATURES: readonly CommonRow[] = [
  ["the signature of another token", signatureOfAnother, "untrusted"],
  ["claims that were changed afterwards", claimsOfAnother, "untrusted"],
  ["a header that was changed afterwards", headerOfAnother, "untrusted"],
  ["a signature under the claims alone", underClaimsAlone, "untrusted"],
  ["a signature under another dot", underAnotherDot, "untrusted"],
  ["the signature backwards", { signature: (bytes) => bytes.reverse() }, "untrusted"],
  ["one bit of the signature flipped", { signature: (bytes) => flip(bytes, 0) }, "untrusted"],
  [
    "the last bit of the signature flipped",
    { signature: (bytes) => flip(bytes, bytes.length - 1) },
    "untrusted",
  ],
  ["half a signature", { signature: (bytes) => bytes.subarray(0, bytes.length / 2) }, "untrusted"],
  ["one byte of the signature", { signature: (bytes) => bytes.subarray(0, 1) }, "untrusted"],
  ["the signature without its last byte", { signature: (bytes) => bytes.subarray(0, -1) }, "untrusted"],
  [
    "a zero behind the signature",
    { signature: (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]) },
    "untrusted",
  ],
  ["the signature twice", { signature: (bytes) => Buffer.concat([bytes, bytes]) }, "untrusted"],
  ["a signature of zeros", { signature: (bytes) => bytes.fill(0) }, "untrusted"],
  ["a signature of ones", { signature: (bytes) => bytes.fill(0xff) }, "untrusted"],
  ["a signature in hex", { signature: (bytes) => Buffer.from(bytes.toString("hex")) }, "untrusted"],
  [
    "a signature that was encoded twice",
    { signature: (bytes) => Buffer.from(bytes.toString("base64url")) },
    "untrusted",
  ],
];

/** RFC 8017 §8.2.2: as long as the modulus, and smaller. Each of these is the same number to who only calculates. */
export const RSA_SIGNATURES: readonly CommonRow[] = [
  [
    "a zero before the signature",
    { signature: (bytes) => Buffer.concat([Buffer.alloc(1), bytes]) },
    "untrusted",
  ],
  ["a signature that begins with zero, without it", withoutLeadingZero, "untrusted"],
  ["the signature plus the modulus", plusModulus, "untrusted"],
];

function signatureOfAnother({ kind }: Scene): Change {
  const [, , signature] = split(mint(kind, { claims: { another: true } }));
  return { token: (token) => [...split(token).slice(0, 2), signature].join(".") };
}

function claimsOfAnother({ kind }: Scene): Change {
  const [, claims] = split(mint(kind, { claims: { another: true } }));
  return { token: (token) => [split(token)[0], claims, split(token)[2]].join(".") };
}

function headerOfAnother({ kind }: Scene): Change {
  const [header] = split(mint(kind, { header: { another: true } }));
  return { token: (token) => [header, ...split(token).slice(1)].join(".") };
}

function underClaimsAlone({ kind }: Scene): Change {
  const sign = signerOf(kind);
  return { sign: (input) => sign(input.subarray(input.indexOf(".") + 1)) };
}

function underAnotherDot({ kind }: Scene): Change {
  const sign = signerOf(kind);
  return { sign: (input) => sign(Buffer.from(input.toString().replace(".", ":"))) };
}

function withoutLeadingZero(scene: Scene): Change {
  return until(scene, (bytes) => (bytes[0] === 0 ? bytes.subarray(1) : null));
}

function plusModulus(scene: Scene): Change {
  const { n } = scene.kind.publicKey().key.export({ format: "jwk" });
  const modulus = toNumber(Buffer.from(String(n), "base64url"));
  return until(scene, (bytes) => {
    const hex = (toNumber(bytes) + modulus).toString(16);
    return hex.length > bytes.length * 2 ? null : Buffer.from(hex.padStart(bytes.length * 2, "0"), "hex");
  });
}

/** Some signatures only have a second form: tries other claims until it finds one. */
function until({ kind }: Scene, findForm: (bytes: Buffer) => Buffer | null): Change {
  for (let attempt = 0; attempt < 20_000; attempt += 1) {
    const token = mint(kind, { claims: { attempt } });
    const signature = findForm(Buffer.from(split(token)[2] ?? "", "base64url"));
    if (signature)
      return { token: () => [...split(token).slice(0, 2), signature.toString("base64url")].join(".") };
  }
  throw new Error("No signature of this key has another form.");
}

function flip(bytes: Buffer, index: number): Buffer {
  bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
  return bytes;
}

function split(token: string): string[] {
  return token.split(".");
}

function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}
