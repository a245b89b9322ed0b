export { type Certificate, readCertificateFiles } from './certificate-files.ts';
export { type LocalCertificate, type LocalCertificateOptions, openLocalCertificate } from './local-certificate.ts';
