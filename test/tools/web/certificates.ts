/** Certificates for loopback servers, made by an authority of the test itself. */
// The library asks for it, without depending on it.
import "reflect-metadata";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

/** In PEM. */
export type ServerCertificate = { readonly cert: string; readonly key: string };

export type Authority = {
  /** In PEM. */
  readonly certificate: string;
  issue(
    name: string,
    validity?: { readonly from: Date; readonly to: Date },
  ): Promise<ServerCertificate>;
};

/** Makes an authority with a key of its own. */
export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    name: "CN=Test authority",
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    certificate: root.toString("pem"),
    async issue(name, validity = { from: daysFromNow(-1), to: daysFromNow(1) }) {
      const own = await generateKeys();
      const certificate = await X509CertificateGenerator.create({
        subject: `CN=${name}`,
        issuer: root.subject,
        notBefore: validity.from,
        notAfter: validity.to,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
      });
      return pemOf(certificate, own);
    },
  };
}

/** A certificate that nobody vouches for. */
export async function createSelfSigned(name: string): Promise<ServerCertificate> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
  });
  return pemOf(certificate, keys);
}

export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function pemOf(
  certificate: X509Certificate,
  keys: CryptoKeyPair,
): Promise<ServerCertificate> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  return { cert: certificate.toString("pem"), key };
}
