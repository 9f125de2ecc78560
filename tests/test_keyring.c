/* What Wireshark is told of the SAs of a run. */
#include "keyring.h"

#include "check.h"
#include "units.h"

#include <unistd.h>

static struct p2_action inbound(enum p2_protocol protocol, const char *source, const char *destination)
{
    struct p2_action action = {.type = P2_ACTION_SA_INSTALLED};
    struct p2_sa_info *sa = &action.u.sa;
    sa->inbound = true;
    sa->protocol = protocol;
    sa->spi = 0xc4a171d3;
    sa->cipher = P2_CIPHER_AES128_CBC;
    sa->auth = P2_AUTH_HMAC_SHA1_96;
    memset(sa->encryption_key, 0xab, 16);
    memset(sa->authentication_key, 0xcd, 20);
    CU_ASSERT_TRUE(p2_address_parse(&sa->source, source) && p2_address_parse(&sa->destination, destination));
    return action;
}

static void esp_of_both_families_and_through_nats(void)
{
    static const char keys[] = "\"0xc4a171d3\",\"AES-CBC [RFC3602]\",\"0xabababababababababababababababab\","
                               "\"HMAC-SHA-1-96 [RFC2404]\",\"0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"\n";
    struct keyring keyring = {0};
    struct p2_action actions[] = {inbound(P2_PROTO_ESP, "203.0.113.1", "198.51.100.1"),
                                  inbound(P2_PROTO_AH, "203.0.113.1", "198.51.100.1"),
                                  inbound(P2_PROTO_ESP, "fd00::1", "fd00:0:0:2::9"),
                                  inbound(P2_PROTO_ESP, "203.0.113.1", "198.51.100.1")};
    actions[3].u.sa.udp_source = actions[3].u.sa.udp_destination = 4500;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        keyring_observe(&keyring, &actions[i]);
    char folder[] = "/tmp/phase2sim-test-XXXXXX", path[96], expected[1024], line[1024], seen[4096] = "";
    const char *failed = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL(keyring_write(&keyring, folder, &failed), 0);
    snprintf(path, sizeof path, "%s/esp_sa", folder);
    FILE *in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    while (fgets(line, sizeof line, in))
        strcat(seen, line);
    fclose(in);
    snprintf(expected, sizeof expected,
             "\"IPv4\",\"203.0.113.1\",\"198.51.100.1\",%s\"IPv6\",\"fd00::1\",\"fd00:0:0:2::9\",%s"
             "\"IPv4\",\"*\",\"*\",%s",
             keys, keys, keys);
    CU_ASSERT_STRING_EQUAL(seen, expected);
    /* With a NAT about, even SAs that do not know of it are found by their SPI alone. */
    keyring.has_nats = true;
    CU_ASSERT_EQUAL(keyring_write(&keyring, folder, &failed), 0);
    in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof line, in));
        CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"*\",\"*\",\"0xc4a171d3\""));
    }
    fclose(in);
    static const char *const files[] = {"keys.xml", "ikev1_decryption_table", "esp_sa", "preferences"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    rmdir(folder);
    keyring_cleanup(&keyring);
}

CHECK_MAIN("keyring", {"ESP of both families, and through NATs", esp_of_both_families_and_through_nats})
