#include "check.h"

#include "dh.h"

#include <gmp.h>

/* Hands out the given bytes one after another; what comes after the end is zeros. */
struct script {
    const uint8_t *bytes;
    size_t len;
    bool only_dh; /* cleared by a draw for anything else */
};

static void script_fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    struct script *script = ctx;
    size_t given = len < script->len ? len : script->len;
    memset(out, 0, len);
    memcpy(out, script->bytes, given);
    script->bytes += given;
    script->len -= given;
    script->only_dh = script->only_dh && use == P2_RANDOM_DH;
}

static int generate_scripted(enum p2_group group, const uint8_t *bytes, size_t len, uint8_t *private_key,
                             uint8_t *public_key)
{
    struct script script = {bytes, len, true};
    int error = p2_dh_generate(group, (struct p2_random){script_fill, &script}, private_key, public_key);
    CU_ASSERT_TRUE(script.only_dh);
    return error;
}

struct exchange_case {
    enum p2_group group;
    const char *private_i, *private_r, *public_i, *public_r, *secret;
};

/* MODP: Python 3's pow(2, x, p), with p from the formulas of RFC 2409 section 6 and RFC 3526 and with the
 * private exponents SHA-256("phase2sim initiator group N") and SHA-256("phase2sim responder group N"); for
 * groups 15 and 16 SHAKE128 of the same, as long as they need. ECP: the examples of RFC 5903 sections 8.1
 * to 8.3. Group 24: the example of RFC 5114 section A.3. */
static const struct exchange_case exchanges[] = {
    {P2_GROUP_1, "87bbaf8755bf2d42953a2571b534a4a60b7d1e0bb5303526e065efc662a08f8f",
     "b7907e53bee5529fc4c62bc5c73412b527f93a62610ee68c1b1073923329d59d",
     "60fff35e91f6ecdef58ed9f79e34f5667c3b724e7e0985c615e964db7cebdbe3b4fe153fa18c1783368ffab911f618d3"
     "5f36b1edec3d671ef9d744a4b2236a34c4da08d3fd6037b090aa2f279f6645cec1a41b4291a33156c69af8e4963cf171",
     "68509c99b9917e137f3252350c69adc85256bca8e60c76cd0d098c0a1e00d1ec74bb49ac0c86cdea5171fb872d6c055c"
     "16d11b86668e716ff43b566936cceed94db9170b7ff83abe7bda0ea17e0c0bf038b116c5437d9a0088eddf4777e353f9",
     "5816bc5bf0b342c73554a49db621911283f2f9f410da578891f4c1769fda0e24add8e45836a2470f2e8deb35aede9a29"
     "f2deab40d7597069fcbd5d02cfc7f8d5791f5219776ad526bb697c307f7bd8943f82f4288ba5f03ae3f3b93b48f944ef"},
    {P2_GROUP_2, "6ba0d25567bc9289fe1ec3ccedbc3f23992d607323d174b97aa2f2cc3374b957",
     "de0f8d739a562c6eb4e808b27b561ef3edefcfdc9072c71fd8e10069ffccfc6b",
     "13d79bb4ead8311f181a3a3ce5ac370d23f7bead28449ffd83cdae94b2a6189c05f2933cd3cf7c3d6f63c48506ca6960"
     "2d4dae1c5f16ef2d781270c7a3eec836c69d48e7be3666e71459d6bbb5be93cfac0746f42f4511bdae2fbd4d91b45af5"
     "d9e6c5ed7f712ce6f2469bd71273c8c99a1d00c1104d2f2426154d2d343d276b",
     "6ad81bca7f7e5d92134caa309e2dcb9a3d3ac0d94159d39440a18fb567d3151a70a1e9d11b0e590a37814c5a6538f3cf"
     "4767380a2ceb06aecdf3ea814de96167ac5f0b4360332ffd8a2ff71c768deadbcb50052623b51fe917e79abf4ba6cacb"
     "d3548cffb707a0824bd9ce7f557d651c9a25290dd39ab2c375b7d09e1929bdc2",
     "b84277d5e0cbf33ffb70b5525299fe507da533d7d388396d3a966945d81c55439bec824ad588343cd866df3ad17b727e"
     "e8bb7bbda498bf205a5b94618051dd4c1e2396eb0cd0c06c13220892aaddf0ee401e0d2c7f4a3a0bc9f997b307e9b9a3"
     "ebb5fce4ba61d35ee19b31f7cb97bc4919ee43a36d783f757851113132c2bc42"},
    {P2_GROUP_5, "80eb805bd688f36f3fbfc0d7af252f2d1348998f41790f4f330acb60330350ef",
     "f9a9c8d01426c32e6f519ce020388a7d437a7c39a54ba45edaab4f81c347ac4d",
     "372168f6142e06bb292b6cb67adcd82f01b0c59aac6c3c4cd63a4c1226c548d94c1eda6526fff48ccf6c4169ab6eca09"
     "8e49683571aa7b9f7bfa2cfe53761047491ce080e3e808db6ea81878f6e97c819ce031535a464d79ea3dd861ffae2c25"
     "cf5e064ecc2781c841bb9827dedf6d4656e800f50de07214377c3aeeee9704272520651e0b2cf245a8c6aa4cb8c190c9"
     "2a2377f4fef0b17d247318e9f9136acd1efde1a016d27c11963bdff63c59d9627925cea358f1379eb9273d47a47a544a",
     "1f1aa66e44f1297e3ddb66719758c722500c3defe0686c09087404e35d3cdf4bd90b6c58265d129106c873b3087de679"
     "2dae88a2d26f2b5c5ecb4c1c43743468d1f3978f961b9ee97b2c5e43be0cbb50538a2d70e74caf30126ea46365ae962a"
     "609c9431c1030a32b412ca38a95a94d629e0ab69f442147a8f9f8dfa822a89ab3aa679c7b719fc6c2355dc104045e137"
     "3875d7abe7a1d3aeccf998ebf2e8558d0dbf78bc0c8e9fd77ec64f3dd5787e7ea27a106a4987d776db5d9ff9b9074568",
     "9863c99991fb00130954664b252cf2a2b911c941a7cf45f999bda7f92220f598ec7335b1d64b1628ee35495057d66104"
     "ee1b6ec78cbb260736380c35a72359ba6316da0e6d83f9efbc22ee75245df26fe5073e2c8b19b9ab0e875ff2aa3113c3"
     "73cac7fb2115614623011f67b5bf501d2e14e6149c9f97f23a6cf0439a11c1fa8b3b28e305bf08e6d5caab0eacf568c5"
     "5d0782c2ac17c93a3302496a1de3a8384b34da44a49a6a8e0af92938ff4c1401a25c79e55248942c2549d724d849a738"},
    {P2_GROUP_14, "ef6d91431dfe24d812310cdcd79a377f61bc858d7b8c96a8f798c587e9f61bf2",
     "2513b51387cc6ef0446d30b654aa219885b3f6a43d39e7fcc7ea7f45edab1422",
     "8472120cb3b51af4e03494a445899bf560930e72c59f991dabf99ed2e49bc9b005581823475108576840ca4cb64f91ab"
     "0d31c54f24dffc801c37fb835c755c4918bc8777d1db14e4acf695faa9c5a193f71ca723fc0dec8c7e87522cababd558"
     "6b9773d93dfb0262132412fc77b66ede3a1cd944d265de36135dcac299858587ef7b48ebce5ddfa7c642b85d77699a8c"
     "011b574c75daac8d50860f15bafb9901031c602c61bdf5d95dfea2a77c4614ad1e3e490e9deeea64dcf263858fc7fd64"
     "8ea57acc534d41c6dde5eae05d9a121e0a40e7dc50cded53b5f0a7abbbebfae93ed62a7d82a393155b88d8efabdb1859"
     "f12de34208af8e90fe4946b9585fab08",
     "03c8246f8032d59c00eeceda5009f9b46d8accc27bd6ab3a7ef65c61e0f8ceca1cd17701bf4587388e6fc993fc806733"
     "6917c05fa31b653b2134d336546516288a314e0c478c60b2ec91036aaf915e6771821cf67eb7ce3bbcd2cbe0b8e7ed68"
     "44ec668c4062d14d3e145bca9bd4a18f03006ab8a08153236777808accd37def03e0526a7fc6746caed7776dfbd7a367"
     "9054768c4b82570e68f144082c84531efda0a41a3fb2f1bee3d6c500167aa4721dde7e0d949187656a14095c57ee0ad2"
     "08f4c3f3b20dd9c5a6024ff68c34b247dbf5ef0bfb08d877eb7385527f732409684cf2b8f71808428405bc7e0d376bad"
     "c267c66bc308601fa7f943149d8fd8bf",
     "c1be77bb84f103890280ff63b86399dd18b9f62833ef88b0312240920763eac15e2b9275350911c316c209df2fc46eec"
     "3f43d23badbdf211332a9c3153b32942d0f09c9fc084bc53a9d2eec32600d0c8b008f55c4abc9437bdc915c40719ef34"
     "d737d0e99163fafb0e36782272ab75286e37989eb33e748b101c85898f78e9de7b2f85f6839ffd1d105c5f44dcd5b12c"
     "2483aa7f9db88259b2991d4f0d8e4c7370c73afb946724c1bb115b983fb89a48364d19010c09beaeebde24afb8e8517f"
     "236b92d5668fc26ffc7d5cf64c20bf2a0f46cb7842329530b145baa79a6f147ebe6e06914e1103eb3e1305faef59d738"
     "4ec0ba3010d463daaf19efa6233ba9eb"},
    {P2_GROUP_15, "2c7a95f3ec026d224abba2694e9085fa2456fb902b51734aa7abb5726a907ec1a7a1cbdef5f643bc",
     "b37a7b2cb79b7cc5a24871243666de6ca0f87a76d26c8bac341daa35f955a667c1173cd886a6ee10",
     "41ab974bfbd21252f575e7f065ea79930f8a0f8577801dfb552983441a85bdd7782614b6cca1ff28e722370a2173c091"
     "ab3d9201dfb9d79562a7375fe9916cec742b77c4410d91e01827ba02027528ccb7f28401869f78320e80c167030f2e38"
     "46bc9902e57e78822e57669913d97c6a3e1eacebbbcfc5a917bf69c1fb5a88dac01c7942e5ca1d6d34cada956dd1c10d"
     "937fe2963b78e80ad7299d120e7ed801d88f87d79fa8c2da6893317f3653248b0dfe40becbdc2985e90bccd007c487fe"
     "bbefb104697b8b72b9231a8cc9becefceec65d0960d4856d937517f44b3122ea3ae64683845aaef681abea343cca08ac"
     "a070d1e449f3e9fd536383457df69380f70030fda68ea0f760772a86261aedd39eebdd0b3b06ace39c7a7d57b4f7daf7"
     "df6d785bd1ad28163e5dfb6657588ae2cbe4d2348d4359e75c3f5efbdd158f60616bf37bd85faa8c28948616638d8228"
     "005c93b6c31b9830a21285efc041fd39cc1086709f74585d558320598b23611142abcb8768f8caf492094024c91c7672",
     "25cd1aed59c76deac23ac83af1262c57fdedc8a1977beb8cd225022863d2a26c1ce838f4b34f532f377e426716e41f6e"
     "e8d7329a06dd41ce62a4e68a78b6c9235a728c28d5cfc8fdacb97937ed6dfe170c62168cf460ce056fad2cdf87c42025"
     "85674c25285d812f183ff331a7e88a8618dfa9de4b66c673a82d885e6906cfca1f081a6d6aac1bafc51d7350e724f6b2"
     "58fb5e90e49d7bf97fb01f9d1b31f867ea2eef0e83652f5eddf25d3774377a59f9bf3910b267b020beed9b82fddd5bcf"
     "eddb7ccf7163d1a43e60148ae4fa605d7a7bf9101797b4f3af0d5ce78aad59a88125b25d6c244e89f75eee10350d1018"
     "48e762959d6ea866cf8f2ab54c6f29db3280beb3fa7baad11886e0c9f6c2395bd45e033f51deca83d7b308d1347607ea"
     "6fa351f49b9bee3c91ab1908a0ca5ced0c69980c80451ac0f097b5fadf5ab672831b6b78a4a90eacea70a25f664f0d14"
     "7820449bf4c0428dfba5f538def53cc03186b9b0455eba3d9975aa9fa0a73cd1073fb0be2dc5c3d6528c5c4aeccf0c86",
     "190935cc369745d06ac567236181a4e7442d62739910adf49ff343d1b72ff683d90205942664e3746efe538085ca4f33"
     "34d0872d88da2a43afdc81bf6b9c63bffc4ee2af823846200e744c15b59089eb36b051128daa87b6f2a3b6e93c9a0d2f"
     "65cae6cb7125cc0fc34a8e91984711bc74adc0b67072282ee3954212afaaa00e4b6f1276f59e7a9442f0de47ae0b30ec"
     "80c7bd0a082787b6a5327cc5d6d3ea5edfe18b0a93a4cedffabbe9650ff64c5ab1b49cf88bf8e8ad0ae10a844d4af511"
     "cc7f5e306c0e5568df27986201d270b24efef96d00c90b2c035da0a30e1763b5dd87c842f55c134ddfe604e053f6dc68"
     "6d23f2bddca21aa310b9d6f4f23e3b382e18e0e65162fcac1569a331f724794f13e5231353aeeaa07f3d0a69a1bd5c61"
     "dd44a6698d08daec4db08952d2789bc6c1dba91f0b7e99e91a5c3c77976bd956aa99b1315b7d509f1a58b3643f7e122d"
     "df87d4bb2df563412194fb4c4c0ae7e6dce42e1d151fe6718bfa7ddfa06391bbfb2813374670cec43c9f9d94045d58a2"},
    {P2_GROUP_16,
     "5b4091dec305b6e4c63c756aa5b7fa2e79287fd306d2358d3e73cb06f59ba9781519270096661916b7d194ecdff6f0aa",
     "ac312c60284d386edcbefd7cdd34b6166c9c146d819bde7dd04ecf8233457374af0842af000c244d67da17b18547825c",
     "d714949cee6069fbd70909e4f2e7193ed0c2ba304f1e9749ba0cc1d4dbf4e2b9eb17cd5bad2edc40b97551f218cdd98f"
     "731048acc5d07af4485f4dd5a4f54d9e978b750211e8550ae0d04c7f6c0eea2170f68ec8d571677611a6f91d7fdd3b15"
     "af039b640609172a480339b2a3a3e91327ab6835cd1fc43a2463e838e0835dae9468e5d9f77a02f0b246f33e4aac266b"
     "28bc2d5b8e93f0bac42659293751f38b41f4c890498fde531758a2ed21cdd5162fc7f56ab1c87e8ea730d6c8a7d3bf22"
     "16fe4a2a48143b4abe40f1b6277176c452647ccdffe50b6b076726db022c0f145b73c1282d4d7104770d844009693c30"
     "1058cbc99ebb04bb03b7a74b13240b6714c9e9d8591d4cf2e3ebf65b5efaae859757eae44df2b722ba1c903d38a80328"
     "b8eb61d221aaa9e94798a0a089aa012e8b18ffb274cc15724321c2f013869cd01c9a403db4e887f36ace2ca2a6c05397"
     "0f371543dca260555b0b04b489bfc3f29d52f82831a1c7678848cc03cafb12f6ebcab2200d43e0d439f689d41444e06e"
     "60c1f371bbb58e26a18d94d3cea05278dd20e2b8460dccb89ef4feffe0225c78cf93fec50af46f52f0f46fade8b117b6"
     "49481cc5e267d6ba59bbcd4be2979e9435eb54c1542ab51087b5fadae06341df0b3088dc378265390a945c126670027f"
     "316b3554a71e996ec3496089fe423df8e35504f818b3f3e110c763a3de165e11",
     "dcc752ab24e7c9413164649207c2f80b805f6e326e4845de40c510e8efa055ce5896e0f90200e78efb77b61ee65ec01b"
     "d8a8a54220c7220cfdef138252eecabd1e773666c4ce1499b74044aa9ef24139f80943748b4037c122213548446ab13e"
     "d398d031233983a9737c0cbe9724cea93111a0fa5ef8ac86ad2305b7806ad0a558f7653489b884da63082a8130f83130"
     "9f2130ee1ff2922faaacaf708e916f7e4208722d6c537ea49f47889d269bd43e2fe5a69984b1425180ffdf24ca308694"
     "8bd39a46a76e7c7a937709ad90132a14e4277ec5712b4a8e4868d2bd50e74123b716459669b69b382fbe271111a8d73a"
     "e35d1311c74c4ab2d044659547ac5f95b2371a579aeb65ecf506e1f9faf46c5e4ccea4a9f3564f4545dc0b0fa55fea52"
     "7c461a00284c088c0e922cf04189ae3e2eee16f59c24a1a11b176afa89d42e4841abb00b5feee5af09d87897d3de5c90"
     "2f4ce904ed3b0643d4fd3a018f0a6f811a6ce09ebba2294bb6d77dbb30f8e2012ceeda1048f5558f33bf846eaea455bc"
     "2c7d2006b2a4591808f7bd8e4ed36ce6b82a4e49d2b6c8374f1d07acc7549ee3f4e20e876f27300b173ad9acd2007412"
     "3e7ea8a89b87ba6337b9be511895b7f37c1ee48465bb6a78627a520abdefdc6c73084d24ed5477f948d7fa51e452671c"
     "af27e17addfa3f47489be00430163fea98d9cc237ee4ffcf8a1a9753b0efab14",
     "ec8d62e70da5f0dcaea381c60d76ba3941a942a2976242216454e68307efaa07098f81748f2e14c602e300d8f2d9de95"
     "54695cd79a3c1fcc75b04dbb4f2a26099478097c809a3e875faa3205cde14886fa399649a76cd0beab20e53763867839"
     "2a12f1ce29d291c5c954b74cbcd123cf3478a003c0f1473f0572e36ddcc13eb9c768f44088a808a27d3094323cfa1798"
     "1ff009a57c0f204eb24e2d37812136499964f3e2240bba2ff7c6530395f462d5341ab89ce236363dc437208403e9f5c6"
     "fec7cb80d1cbf36472437b7dd776b37ae08893dc8e1410f2a35d8f6fecfcf6626462501f3d895a4e518e5f75767c042d"
     "9c313a3502cb0931486edb1ad5d8ec7ff8e5fbfc980085beffcc73cd93bd5344b92a9c57fdcf7282f16aca417a8d0716"
     "429cecabf580d0bfb22b1cd8294aefd6a066f10deaafccc68bb5618e35f1c74d0faeb408755e13240da4f2af6d712895"
     "5e861ae4a733cd8fd74a2607d5a2ceae7f27b591aaef1eeb77d80566a19566553101f8499955635c729fd9c617496284"
     "44370d02e8c1bcbd13769862396651dc40a8abe58b0400dcac9afed7491f460d5615b3171085f5f81061d109b53b91bb"
     "563b1c2128d4b549d5046b2aacbd2b83d089bd8f0d1b6bf6fdd928b98746adf479a1f34f27108fd05d6d69eb2a52a3eb"
     "6a89ff0dc6ca161d3470168be89eb508198dc843567529eecd83326014b842fb"},
    {P2_GROUP_19, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
     "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
     "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {P2_GROUP_20,
     "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
     "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
     "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa"
     "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
     "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571"
     "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
     "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"},
    {P2_GROUP_21,
     "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771d937ba9777"
     "f5957b2639bab072462f68c27a57382d4a52",
     "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c677d600b343757a3bdbf2a3163e4c2"
     "f869cca7458aa4a4effc311f5cb151685eb9",
     "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e380aeae57c2d107564"
     "941885942af5a7f4601723c4195d176ced3e017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4"
     "a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
     "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e95bb0352f6be64a6"
     "c2912d4ef2d0433ced2b6171640012d9460f015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d985207"
     "7b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
     "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa240a34786859810c06"
     "b3c715a3a8cc3151f2bee417996d19f3ddea"},
    {P2_GROUP_24, "0881382cdb87660c6dc13e614938d5b9c8b2f248581cc5e31b35454397fce50e",
     "7d62a7e3ef36de617b13d1afb82c780d83a23bd4ee6705645121f371f546a53d",
     "2e9380c8323af97545bc4941deb0ec3742c62fe0ece824a6abdbe66c59bee0242911bfb967235ceba35ae13e4ec752be"
     "630b92dc4bde2847a9c62cb8152745421fb7eb60a63c0fe9159fcce726ce7cd8523d7450667ef840e4919121eb5f01c8"
     "c9b0d3d648a93bfb75689e8244ac134af544711ce79a02dcc34226684780dddcb498594106c37f5bc79856487af5ab02"
     "2a2e5e42f09897c1a85a11ea0212af04d9b4cebc937c3c1a3e15a8a0342e337615c84e7fe3b8b9b87fb1e73a15af12a3"
     "0d746e06dfc34f290d797ce51aa13aa785bf6658aff5e4b093003cbeaf665b3c2e113a3a4e905269341dc0711426685f"
     "4ef37e868a8126ff3f2279b57ca67e29",
     "575f0351bd2b1b817448bdf87a6c362c1e289d3903a30b9832c5741fa250363e7acbc7f77f3dacbc1f131add8e03367e"
     "ff8fbbb3e1c5784424809b25afe4d2262a1a6fd2fab64105ca30a674e07f7809852088632fc049233791ad4edd083a97"
     "8b883ee618bc5e0dd047415f2d95e683cf14826b5fbe10d3ce41c6c120c78ab20008c698bf7f0bcab9d7f407bed0f43a"
     "fb2970f57f8d12043963e66ddd320d599ad9936c8f44137c08b180ec5e985cebe186f3d549677e80607331ee17af3380"
     "a725b0782317d7dd43f59d7af9568a9bb63a84d365f92244ed120988219302f42924c7ca90b89d24f71b0ab697823d7d"
     "eb1aff5b0e8e4a45d49f7f53757e1913",
     "86c70bf8d0bb81bb01078a17219cb7d27203db2a19c877f1d1f19fd7d77ef22546a68f005ad52dc84553b78fc60330be"
     "51ea7c0672cac1515e4b35c047b9a551b88f39dc26da14a09ef74774d47c762dd177f9ed5bc2f11e52c879bd95098504"
     "cd9eecd8a8f9b3efbd1f008ac5853097d9d1837f2b18f77cd7be01af80a7c7b5ea3ca54cc02d0c116fee3f95bb873993"
     "85875d7e86747e676e728938acbff7098e05be4dcfb24052b83aeffb14783f029adbde7f53fae92084224090e007cee9"
     "4d4bf2bace9ffd4b57d2af7c724d0caa19bf0501f6f17b4aa10f425e3ea76080b4b9d6b3cefea115b2ceb8789bb8a3b0"
     "ea87febe63b6c8f846ec6db0c26c5d7c"},
};

/* One side of an exchange: draws the private value, then derives with the other's public value as it is in
 * the table. */
static void check_side(const struct exchange_case *c, const char *private_hex, const char *public_hex,
                       const char *peer_hex)
{
    const struct p2_group_info *info = p2_group_info(c->group);
    uint8_t drawn[P2_DH_MAX_PRIVATE], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    uint8_t peer[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    size_t drawn_len = check_unhex(private_hex, drawn, sizeof drawn);
    CU_ASSERT_EQUAL_FATAL(drawn_len, info->private_len);
    CU_ASSERT_EQUAL(generate_scripted(c->group, drawn, drawn_len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, info->private_len, private_hex);
    CHECK_HEX(public_key, info->public_len, public_hex);
    size_t peer_len = check_unhex(peer_hex, peer, sizeof peer);
    CU_ASSERT_EQUAL(p2_dh_derive(c->group, private_key, peer, peer_len, secret), P2_OK);
    CHECK_HEX(secret, info->secret_len, c->secret);
}

static void known_answers(void)
{
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        const struct exchange_case *c = &exchanges[i];
        check_side(c, c->private_i, c->public_i, c->public_r);
        check_side(c, c->private_r, c->public_r, c->public_i);
    }
}

struct modp_case {
    enum p2_group group;
    unsigned bits, k;
};

/* p = 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k): RFC 2409 sections 6.1, 6.2; RFC 3526 sections
 * 2 to 5. */
static const struct modp_case modp[] = {
    {P2_GROUP_1, 768, 149686},   {P2_GROUP_2, 1024, 129093},   {P2_GROUP_5, 1536, 741804},
    {P2_GROUP_14, 2048, 124476}, {P2_GROUP_15, 3072, 1690314}, {P2_GROUP_16, 4096, 240904},
};

#define NUM_MODP (sizeof modp / sizeof modp[0])

/* sum += factor 2^bits arctan(1/x), by Gregory's series. */
static void add_arctan(mpz_t sum, long factor, unsigned long x, unsigned bits)
{
    mpz_t power, term;
    mpz_init_set_ui(power, 1);
    mpz_init(term);
    mpz_mul_2exp(power, power, bits);
    mpz_mul_si(power, power, factor);
    mpz_tdiv_q_ui(power, power, x);
    for (unsigned long n = 1; mpz_sgn(power) != 0; n += 2) {
        mpz_tdiv_q_ui(term, power, n);
        if (n % 4 == 1)
            mpz_add(sum, sum, term);
        else
            mpz_sub(sum, sum, term);
        mpz_tdiv_q_ui(power, power, x * x);
    }
    mpz_clear(power);
    mpz_clear(term);
}

/* Machin: pi = 16 arctan(1/5) - 4 arctan(1/239). The 64 bits of guard swallow the rounding of the series. */
static void prime_by_formula(mpz_t p, const struct modp_case *c)
{
    mpz_t power;
    unsigned bits = c->bits - 130 + 64;
    mpz_init(power);
    mpz_set_ui(p, 0);
    add_arctan(p, 16, 5, bits);
    add_arctan(p, -4, 239, bits);
    mpz_fdiv_q_2exp(p, p, 64);
    mpz_add_ui(p, p, c->k);
    mpz_mul_2exp(p, p, 64);
    mpz_ui_pow_ui(power, 2, c->bits);
    mpz_add(p, p, power);
    mpz_ui_pow_ui(power, 2, c->bits - 64);
    mpz_sub(p, p, power);
    mpz_sub_ui(p, p, 1);
    mpz_clear(power);
}

static void to_bytes(uint8_t *out, size_t len, const mpz_t z)
{
    size_t used = (mpz_sizeinbase(z, 2) + 7) / 8;
    memset(out, 0, len);
    CU_ASSERT_FATAL(mpz_sgn(z) == 0 || used <= len);
    if (mpz_sgn(z) != 0)
        mpz_export(out + len - used, NULL, 1, 1, 1, 0, z);
}

/* With the exponent n itself, 2^n mod p is 2^n - p, which gives the module's own prime away. Its first 8
 * bytes are zeros in every one of these groups, and they have to be there (RFC 2409 section 5). */
static void primes_are_those_of_the_rfcs(void)
{
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_info(modp[i].group)->public_len;
        size_t private_len = p2_group_info(modp[i].group)->private_len;
        uint8_t exponent[P2_DH_MAX_PRIVATE] = {0}, private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN],
                expected[P2_DH_MAX_LEN];
        mpz_t p, z;
        mpz_init(p);
        mpz_init(z);
        prime_by_formula(p, &modp[i]);
        CU_ASSERT_EQUAL(mpz_sizeinbase(p, 2), modp[i].bits);
        CU_ASSERT_EQUAL(len, modp[i].bits / 8);
        /* 26 is GMP's Baillie-PSW and two rounds of Miller-Rabin, which is plenty for what no enemy chose. */
        CU_ASSERT(mpz_probab_prime_p(p, 26) > 0);
        mpz_fdiv_q_2exp(z, p, 1);
        CU_ASSERT(mpz_probab_prime_p(z, 26) > 0);

        exponent[private_len - 2] = (uint8_t)(modp[i].bits >> 8);
        exponent[private_len - 1] = (uint8_t)modp[i].bits;
        CU_ASSERT_EQUAL(generate_scripted(modp[i].group, exponent, private_len, private_key, public_key),
                        P2_OK);
        mpz_ui_pow_ui(z, 2, modp[i].bits);
        mpz_sub(z, z, p);
        to_bytes(expected, len, z);
        CU_ASSERT_EQUAL(memcmp(public_key, expected, len), 0);
        CHECK_HEX(public_key, 9, "0000000000000000 36");
        mpz_clear(z);
        mpz_clear(p);
    }
}

/* The same power as a secret, of a peer whose public value is 2. Written out for group 1: 2^768 - p by
 * Python 3. */
static void modp_secret_keeps_leading_zeros(void)
{
    uint8_t exponent[32] = {[30] = 3}, two[96] = {[95] = 2}, secret[96];
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_1, exponent, two, sizeof two, secret), P2_OK);
    CHECK_HEX(secret, sizeof secret,
              "000000000000000036f0255dde973dcb3b399d747f23e32ed6fdb1f77598338bfdf44159c4ec64dd"
              "aeb5f78671cbfb22106ae64c32c5bce4cfd4f5920da0ebc8b01eca9292ae3dba1b7a4a899da18139"
              "0bb3bd1659c5c9df0000000000000001");
}

#define P256_G                                                                                               \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                                       \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

/* 379 is the first multiple of the base point whose x begins with a zero byte, 43 the first whose y does.
 * Found and computed with the affine formulas in Python 3. */
static void ecp_keeps_leading_zeros(void)
{
    uint8_t scalar[32] = {[30] = 379 >> 8, [31] = 379 & 0xff};
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], base[64], secret[32];
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, scalar, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a"
              "bb4c85a3d8ea29efaafa24406912dd84d5b14dc32bf656ef6c6bd58a5d943f92");
    check_unhex(P256_G, base, sizeof base);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, scalar, base, 64, secret), P2_OK);
    CHECK_HEX(secret, 32, "005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a");

    uint8_t scalar_43[32] = {[31] = 43};
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, scalar_43, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "986ae2506f1ff104d04230861d8f4b498f4bc4c6d009b30f7544dc129b82d28d"
              "003cccc0a6460e0ae328a4d97d3c7b61d86fc6289c189f2525110c441bb07e97");
}

/* Out-of-range values around both ends, and their neighbours that are allowed. */
static void modp_refuses_values_out_of_range(void)
{
    static const struct {
        bool from_p;
        int offset, expected;
    } values[] = {
        {false, 0, P2_ERR_PEER_VALUE},
        {false, 1, P2_ERR_PEER_VALUE},
        {false, 2, P2_OK},
        {true, -2, P2_OK},
        {true, -1, P2_ERR_PEER_VALUE},
        {true, 0, P2_ERR_PEER_VALUE},
        {true, 1, P2_ERR_PEER_VALUE},
        {true, 2, P2_ERR_PEER_VALUE},
    };
    uint8_t private_key[P2_DH_MAX_PRIVATE], peer[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    memset(private_key, 5, sizeof private_key);
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_info(modp[i].group)->public_len;
        mpz_t z;
        mpz_init(z);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            if (values[v].from_p)
                prime_by_formula(z, &modp[i]);
            else
                mpz_set_ui(z, 0);
            if (values[v].offset < 0)
                mpz_sub_ui(z, z, (unsigned long)-values[v].offset);
            else
                mpz_add_ui(z, z, (unsigned long)values[v].offset);
            to_bytes(peer, len, z);
            CU_ASSERT_EQUAL(p2_dh_derive(modp[i].group, private_key, peer, len, secret), values[v].expected);
        }
        memset(peer, 0xff, len);
        CU_ASSERT_EQUAL(p2_dh_derive(modp[i].group, private_key, peer, len, secret), P2_ERR_PEER_VALUE);
        mpz_clear(z);
    }
}

static void wrong_length_is_refused(void)
{
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    uint8_t longer[P2_DH_MAX_LEN + 1] = {0};
    for (size_t i = 0; p2_group_at(i); i++) {
        const struct p2_group_info *info = p2_group_at(i);
        struct test_random state = {.seed = i};
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_key, public_key), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, info->public_len, secret), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, 0, secret), P2_ERR_PEER_VALUE);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, info->public_len - 1, secret),
                        P2_ERR_PEER_VALUE);
        /* The same number with one more leading zero. */
        memcpy(longer + 1, public_key, info->public_len);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, longer, info->public_len + 1, secret),
                        P2_ERR_PEER_VALUE);
    }
}

static void ecp_refuses_what_is_not_a_point(void)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c297"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        /* x = p (FIPS 186-4 section D.1.2.3), y a square root of b, by Python 3: on the curve if x were
           reduced. */
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    };
    uint8_t private_key[32] = {[31] = 5}, peer[64], secret[32];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t len = check_unhex(bad[i], peer, sizeof peer);
        CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, private_key, peer, len, secret), P2_ERR_PEER_VALUE);
    }
}

/* n, the order of the base point: FIPS 186-4 section D.1.2.3. */
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO_32    "0000000000000000000000000000000000000000000000000000000000000000"

/* The first draws are n, 0 and 2^256 - 1; then comes 1, whose public value is the base point. */
static void ecp_draws_again_until_in_range(void)
{
    uint8_t draws[128], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    size_t len =
        check_unhex(P256_ORDER ZERO_32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                       "0000000000000000000000000000000000000000000000000000000000000001",
                    draws, sizeof draws);
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, draws, len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, 32, "0000000000000000000000000000000000000000000000000000000000000001");
    CHECK_HEX(public_key, 64, P256_G);

    /* n - 1 is the largest scalar: minus the base point. */
    check_unhex(P256_ORDER, draws, sizeof draws);
    draws[31]--;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, draws, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
              "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a");
}

/* A source that gives nothing but zeros is an error, neither a key nor an endless loop. */
static void broken_randomness_is_an_error(void)
{
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    for (size_t i = 0; p2_group_at(i); i++) {
        const uint8_t nothing = 0;
        CU_ASSERT_EQUAL(generate_scripted(p2_group_at(i)->group, &nothing, 1, private_key, public_key),
                        P2_ERR_CRYPTO);
    }
}

static void bad_private_value_is_an_error(void)
{
    uint8_t private_key[32], peer[64], secret[32];
    check_unhex(P256_G, peer, sizeof peer);
    check_unhex(P256_ORDER, private_key, sizeof private_key);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, private_key, peer, sizeof peer, secret), P2_ERR_CRYPTO);
}

/* --- group 24 --- */

/* RFC 5114 section 2.3. */
#define Q_24 "8cf83642a709a097b447997640129da299b1a47d1eb3750ba308b0fe64f5fbd3"
#define P_24                                                                                                 \
    "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa30"       \
    "16c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b"       \
    "6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0e"       \
    "f13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026"       \
    "c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"       \
    "693877fad7ef09cadb094ae91e1a1597"

/* The generator comes out as the public value of 1; it has order q, q is prime and divides p - 1, and p is
 * prime.
 */
static void group_24_is_what_rfc_5114_says(void)
{
    uint8_t one[32] = {[31] = 1}, private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    mpz_t p, q, g, z;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, one, 32, private_key, public_key), P2_OK);
    mpz_init_set_str(p, P_24, 16);
    mpz_init_set_str(q, Q_24, 16);
    mpz_init(g);
    mpz_init(z);
    mpz_import(g, 256, 1, 1, 1, 0, public_key);
    mpz_powm(z, g, q, p);
    CU_ASSERT(mpz_cmp_ui(g, 1) > 0 && mpz_cmp_ui(z, 1) == 0);
    CU_ASSERT(mpz_probab_prime_p(p, 26) > 0 && mpz_probab_prime_p(q, 26) > 0);
    mpz_sub_ui(z, p, 1);
    CU_ASSERT_TRUE(mpz_divisible_p(z, q));
    mpz_clears(p, q, g, z, NULL);
}

/* Not in the subgroup: 0, 1 (in it, and of no use), 2, p - 1, a member plus one, twice
 * a member, p minus a member. A member is taken, and so is its square. */
static void group_24_refuses_what_is_not_in_the_subgroup(void)
{
    uint8_t five[32] = {[31] = 5}, one[32] = {[31] = 1}, private_key[32], g_bytes[256], peer[256],
            secret[256];
    mpz_t p, g, z;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, one, 32, private_key, g_bytes), P2_OK);
    mpz_init_set_str(p, P_24, 16);
    mpz_init(g);
    mpz_init(z);
    mpz_import(g, 256, 1, 1, 1, 0, g_bytes);
    const struct {
        int factor; /* of g; 0: none */
        unsigned plus;
        int expected;
    } rows[] = {
        {0, 0, P2_ERR_PEER_VALUE}, {0, 1, P2_ERR_PEER_VALUE}, {0, 2, P2_ERR_PEER_VALUE},  {1, 0, P2_OK},
        {1, 1, P2_ERR_PEER_VALUE}, {2, 0, P2_ERR_PEER_VALUE}, {-1, 0, P2_ERR_PEER_VALUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mpz_mul_si(z, g, rows[i].factor);
        mpz_add_ui(z, z, rows[i].plus);
        mpz_mod(z, z, p);
        to_bytes(peer, 256, z);
        CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), rows[i].expected);
    }
    mpz_powm_ui(z, g, 2, p);
    to_bytes(peer, 256, z);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), P2_OK);
    mpz_sub_ui(z, p, 1);
    to_bytes(peer, 256, z);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), P2_ERR_PEER_VALUE);
    mpz_clears(p, g, z, NULL);
}

/* q, 0 and 2^256 - 1 are drawn again; q itself is refused as a private value. */
static void group_24_draws_again_until_below_q(void)
{
    uint8_t draws[128], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], secret[256];
    size_t len = check_unhex(Q_24 ZERO_32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                          "0000000000000000000000000000000000000000000000000000000000000007",
                             draws, sizeof draws);
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, draws, len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, 32, "0000000000000000000000000000000000000000000000000000000000000007");
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, draws, public_key, 256, secret), P2_ERR_CRYPTO);
}

/* P-521's order has 521 bits: the upper 7 bits of what is drawn are cleared instead of being drawn again. */
static void p521_uses_one_bit_of_the_first_byte(void)
{
    uint8_t draw[66], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], same[P2_DH_MAX_LEN];
    memset(draw, 0x33, sizeof draw);
    draw[0] = 0xfe;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_21, draw, 66, private_key, public_key), P2_OK);
    CU_ASSERT(private_key[0] == 0 && memcmp(private_key + 1, draw + 1, 65) == 0);
    draw[0] = 0;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_21, draw, 66, private_key, same), P2_OK);
    CU_ASSERT_EQUAL(memcmp(public_key, same, 132), 0);
}

static void both_sides_agree(void)
{
    for (size_t i = 0; p2_group_at(i); i++) {
        const struct p2_group_info *info = p2_group_at(i);
        struct test_random state = {.seed = 100 + i};
        uint8_t private_i[P2_DH_MAX_PRIVATE], private_r[P2_DH_MAX_PRIVATE];
        uint8_t public_i[P2_DH_MAX_LEN], public_r[P2_DH_MAX_LEN], secret_i[P2_DH_MAX_LEN],
            secret_r[P2_DH_MAX_LEN];
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_i, public_i), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_r, public_r), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_i, public_r, info->public_len, secret_i), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_r, public_i, info->public_len, secret_r), P2_OK);
        CU_ASSERT_EQUAL(memcmp(secret_i, secret_r, info->secret_len), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(public_i, public_r, info->public_len), 0);
    }
}

static void table(void)
{
    static const enum p2_group order[] = {P2_GROUP_1,  P2_GROUP_2,  P2_GROUP_5,  P2_GROUP_14, P2_GROUP_15,
                                          P2_GROUP_16, P2_GROUP_19, P2_GROUP_20, P2_GROUP_21, P2_GROUP_24};
    size_t num_groups = sizeof order / sizeof order[0];
    for (size_t i = 0; i < num_groups; i++) {
        const struct p2_group_info *info = p2_group_at(i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info);
        CU_ASSERT_EQUAL(info->group, order[i]);
        CU_ASSERT_PTR_EQUAL(p2_group_info(order[i]), info);
        CU_ASSERT_EQUAL(p2_group_by_name(info->name), order[i]);
        CU_ASSERT(info->public_len <= P2_DH_MAX_LEN && info->secret_len <= P2_DH_MAX_LEN);
        CU_ASSERT(info->private_len <= P2_DH_MAX_PRIVATE);
    }
    CU_ASSERT_PTR_NULL(p2_group_at(num_groups));
    CU_ASSERT_PTR_NULL(p2_group_info(P2_GROUP_NONE));
    CU_ASSERT_PTR_NULL(p2_group_info((enum p2_group)3));
    CU_ASSERT_EQUAL(p2_group_by_name("none"), P2_GROUP_NONE);
    CU_ASSERT_EQUAL(p2_group_by_name("group3"), P2_GROUP_NONE);
}

CHECK_MAIN("dh", {"known answers", known_answers},
           {"primes are those of the RFCs", primes_are_those_of_the_rfcs},
           {"MODP secret keeps leading zeros", modp_secret_keeps_leading_zeros},
           {"ECP keeps leading zeros", ecp_keeps_leading_zeros},
           {"MODP refuses values out of range", modp_refuses_values_out_of_range},
           {"wrong length is refused", wrong_length_is_refused},
           {"ECP refuses what is not a point", ecp_refuses_what_is_not_a_point},
           {"ECP draws again until in range", ecp_draws_again_until_in_range},
           {"broken randomness is an error", broken_randomness_is_an_error},
           {"bad private value is an error", bad_private_value_is_an_error},
           {"group 24 is what RFC 5114 says", group_24_is_what_rfc_5114_says},
           {"group 24 refuses what is not in the subgroup", group_24_refuses_what_is_not_in_the_subgroup},
           {"group 24 draws again until below q", group_24_draws_again_until_below_q},
           {"P-521 uses one bit of the first byte", p521_uses_one_bit_of_the_first_byte},
           {"both sides agree", both_sides_agree}, {"table", table})
