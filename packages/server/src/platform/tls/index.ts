export { readAuthorities } from './authority-files.ts';
export type { Certificate } from './certificate-files.ts';
export { type CertificateOptions, type CertificateSource, openCertificate, openCertificateFiles } from './certificate-source.ts';
