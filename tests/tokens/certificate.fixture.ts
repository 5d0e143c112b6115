import { sign, type KeyObject } from "node:crypto";

const SHA256_WITH_RSA = sequence(Buffer.from("06092a864886f70d01010b0500", "hex"));
const NOBODY = sequence();
const FOR_THIRTY_YEARS = sequence(...["200101000000Z", "491231235959Z"].map(utcTime));

/** A self-signed X.509 certificate (RFC 5280, version 1) of an RSA key, as DER. */
export function createCertificate({
  publicKey,
  privateKey,
}: Readonly<Record<"publicKey" | "privateKey", KeyObject>>): Buffer {
  const serialNumber = der(0x02, Buffer.from([1]));
  const subject = publicKey.export({ type: "spki", format: "der" });
  const content = sequence(serialNumber, SHA256_WITH_RSA, NOBODY, FOR_THIRTY_YEARS, NOBODY, subject);
  const signature = der(0x03, Buffer.from([0]), sign("sha256", content, privateKey));
  return sequence(content, SHA256_WITH_RSA, signature);
}

export function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function utcTime(time: string): Buffer {
  return der(0x17, Buffer.from(time));
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length =
    content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
