untrusted comment: verify with key.pub
RWTOHkLjv12cia/H/f+wvVog/9BM/eKljhbeierTI/ly6eDyPIopL0KQKFptFcfcczc6jXuP7RQlNV3Vcww8Cs2sHevikbGrrwk=
