export type { Certificate } from './certificate-files.ts';
export { type CertificateOptions, type CertificateSource, openCertificate } from './certificate-source.ts';
