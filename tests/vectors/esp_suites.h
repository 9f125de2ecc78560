/* Made by esp_suites.py, which says how; not by hand. */
{"null", "hmac-md5-96", false, 0x100, UINT64_C(0x1), 20,
     "000001000000000100050a0f14191e23282d32373c41464b50555a5f0102022953077f629ee225c58b4f6de4"},
{"null", "hmac-sha1-96", true, 0x101, UINT64_C(0x1ffffffff), 21,
     "00000101ffffffff00050a0f14191e23282d32373c41464b50555a5f64010129c05e9204f8ff55cd98766366"},
{"des-cbc", "hmac-md5-96", false, 0x102, UINT64_C(0x2), 22,
     "0000010200000002f0f1f2f3f4f5f6f762255bd3edddc4321945f4eeb43fd4cf22c1f0990f5a92fd9aeb8a49792a3e83"
     "91ace3d8"},
{"3des-cbc", "hmac-sha384-192", true, 0x103, UINT64_C(0x100000000), 23,
     "0000010300000000f0f1f2f3f4f5f6f7a79c71b65692b6610f6bf296b18e43557b04149a25c0ed2943fc4770b99898dd"
     "ae227cdbf3debef542595c3a0c47d628cb8da2bf56e5e4a6"},
{"aes-128-cbc", "hmac-sha512-256", false, 0x104, UINT64_C(0xffffffff), 24,
     "00000104fffffffff0f1f2f3f4f5f6f7f8f9fafbfcfdfefffdbbab356af521a3d56d5b4cf41300693e5b0a7ddd573ca4"
     "c953af2b8d3f82cf270a9514d5e0008c008b226051421360dbf93818448698ef990a47de5414d140"},
{"aes-128-cbc", "hmac-sha1-96", true, 0x105, UINT64_C(0xfedcba9876543210), 25,
     "0000010576543210f0f1f2f3f4f5f6f7f8f9fafbfcfdfefffdbbab356af521a3d56d5b4cf41300693a0c90ed32a5e323"
     "b9aaea9ce502ee1864374d80212a8bd000e7b4d3"},
{"aes-192-cbc", "hmac-sha384-192", false, 0x106, UINT64_C(0x3), 0,
     "0000010600000003f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe439000509862b8c9b77209369ef3e8ea18e15cd266d7fea"
     "43461ef2842e764b4466515e94c3060b"},
{"aes-256-cbc", "none", false, 0x107, UINT64_C(0x4), 1,
     "0000010700000004f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffd6b809c0a0bb3dc6b94c606f1cca97dc"},
{"aes-128-ctr", "hmac-sha1-96", false, 0x108, UINT64_C(0x5), 2,
     "0000010800000005f0f1f2f3f4f5f6f71a0c7bbe361b0055e48d263389d14675"},
{"aes-192-ctr", "hmac-sha256-128", true, 0x109, UINT64_C(0x200000001), 3,
     "0000010900000001f0f1f2f3f4f5f6f7efa819a038c92a1a34456c6d7f562a73e60df172b089528a"},
{"aes-256-ctr", "hmac-sha512-256", false, 0x10a, UINT64_C(0x6), 4,
     "0000010a00000006f0f1f2f3f4f5f6f7d501c9fae132a5fc4660dc49e5478dc0f40517bd62287cf1466bfabe80870609"
     "0b3db0f497a9ca93"},
{"aes-128-ctr", "none", false, 0x10b, UINT64_C(0x7), 33,
     "0000010b00000007f0f1f2f3f4f5f6f71a0c719804ba7c80d61d6cce3af4120d6af661d7695b7507ff98830a01d220aa"
     "6bb908d0"},
{"aes-128-gcm-16", "none", false, 0x10c, UINT64_C(0x8), 5,
     "0000010c00000008f0f1f2f3f4f5f6f73aa6318719331a5d0bf0e50dba5a334de165a9155c9fab2a"},
{"aes-192-gcm-16", "none", true, 0x10d, UINT64_C(0x300000009), 6,
     "0000010d00000009f0f1f2f3f4f5f6f71b17fd0c48d6a289ea44b350b6cbee008eb18137ed481060"},
{"aes-256-gcm-16", "none", false, 0x10e, UINT64_C(0xfffffffe), 34,
     "0000010efffffffef0f1f2f3f4f5f6f78daf842f64d643ab87bc7f690c9958758cc005ed564530f452ac6999efe46f7b"
     "1019ce5a09fd7dc7817aa9d44058b803ef7c6021"},
