/** Licences of the SPDX list that packages usually have; any other word is quoted as the package has it. */
export const licenceIds: ReadonlySet<string> = new Set(
  (
    '0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.0 Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0 Artistic-1.0-Perl ' +
    'Artistic-2.0 Beerware BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear ' +
    'BSD-4-Clause BSD-4-Clause-UC BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 ' +
    'CECILL-2.1 CNRI-Python CPL-1.0 curl ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FSFUL FSFULLR FTL GFDL-1.1-or-later ' +
    'GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only ' +
    'GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG ImageMagick Info-ZIP Intel IPL-1.0 ISC JSON LGPL-2.0-only ' +
    'LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng libpng-2.0 libtiff LPPL-1.3c ' +
    'MIT MIT-0 MIT-CMU MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL NAIST-2003 NCSA Net-SNMP NIST-PD NTP ' +
    'OFL-1.0 OFL-1.1 OLDAP-2.8 OpenSSL OSL-3.0 PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Qhull Ruby ' +
    'Sendmail SGI-B-2.0 Sleepycat SMLNJ SSH-OpenSSH TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C Watcom-1.0 ' +
    'WTFPL X11 Xnet XFree86-1.1 Zend-2.0 Zlib zlib-acknowledgement ZPL-2.0 ZPL-2.1'
  ).split(' '),
);

export const exceptionIds: ReadonlySet<string> = new Set(
  (
    'Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 eCos-exception-2.0 ' +
    'Font-exception-2.0 GCC-exception-2.0 GCC-exception-3.1 Libtool-exception Linux-syscall-note LLVM-exception ' +
    'OpenJDK-assembly-exception-1.0 openvpn-openssl-exception Qt-GPL-exception-1.0 Qt-LGPL-exception-1.1 ' +
    'u-boot-exception-2.0 Universal-FOSS-exception-1.0 WxWindows-exception-3.1'
  ).split(' '),
);
