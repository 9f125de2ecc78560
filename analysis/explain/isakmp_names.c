#include "dissect_impl.h"
#include "isakmp.h"

#include <inttypes.h>
#include <stdio.h>

const char *name_of_number(struct name_table table, uint64_t number)
{
    for (size_t i = 0; i < table.num; i++) {
        if (table.names[i].number == number)
            return table.names[i].name;
    }
    return NULL;
}

static const char *name_or(const char *name, const char *kind, uint64_t number, char *buffer)
{
    if (name)
        return name;
    snprintf(buffer, DISSECT_TEXT, "%s %" PRIu64, kind, number);
    return buffer;
}

/* --- messages and payloads --- */

/* RFC 2408 section 3.1; 15 to 18: RFC 6407 section 5; 20, 21: RFC 3947; 130, 131: its drafts. */
static const struct number_name payload_names[] = {
    {0, "none"},
    {1, "SA"},
    {2, "Proposal"},
    {3, "Transform"},
    {4, "Key Exchange"},
    {5, "Identification"},
    {6, "Certificate"},
    {7, "Certificate Request"},
    {8, "Hash"},
    {9, "Signature"},
    {10, "Nonce"},
    {11, "Notification"},
    {12, "Delete"},
    {13, "Vendor ID"},
    {14, "Attributes"},
    {15, "SA KEK"},
    {16, "SA TEK"},
    {17, "Key Download"},
    {18, "Sequence Number"},
    {19, "Proof of Possession"},
    {20, "NAT-D"},
    {21, "NAT-OA"},
    {130, "NAT-D (draft)"},
    {131, "NAT-OA (draft)"},
    {132, "Fragment"},
};

const char *isakmp_payload_name(uint8_t type, char *buffer)
{
    return name_or(name_of_number(NAMES(payload_names), type), "payload", type, buffer);
}

/* RFC 2408 section 3.1; 2 is called Main Mode in RFC 2409; 32, 33: RFC 2409 appendix A. 6 is Mode Config's,
 * which never became an RFC. */
static const struct number_name exchange_names[] = {
    {0, "None"},       {1, "Base"},          {2, "Main Mode"},   {3, "Authentication Only"},
    {4, "Aggressive"}, {5, "Informational"}, {6, "Transaction"}, {32, "Quick Mode"},
    {33, "New Group"},
};

const char *isakmp_exchange_name(uint8_t type, char *buffer)
{
    return name_or(name_of_number(NAMES(exchange_names), type), "exchange", type, buffer);
}

/* RFC 2408 section 3.14.1; from 24576 RFC 2407 section 4.6.3; from 36136 RFC 3706 section 5.3. */
static const struct number_name notify_names[] = {
    {1, "INVALID-PAYLOAD-TYPE"},
    {2, "DOI-NOT-SUPPORTED"},
    {3, "SITUATION-NOT-SUPPORTED"},
    {4, "INVALID-COOKIE"},
    {5, "INVALID-MAJOR-VERSION"},
    {6, "INVALID-MINOR-VERSION"},
    {7, "INVALID-EXCHANGE-TYPE"},
    {8, "INVALID-FLAGS"},
    {9, "INVALID-MESSAGE-ID"},
    {10, "INVALID-PROTOCOL-ID"},
    {11, "INVALID-SPI"},
    {12, "INVALID-TRANSFORM-ID"},
    {13, "ATTRIBUTES-NOT-SUPPORTED"},
    {14, "NO-PROPOSAL-CHOSEN"},
    {15, "BAD-PROPOSAL-SYNTAX"},
    {16, "PAYLOAD-MALFORMED"},
    {17, "INVALID-KEY-INFORMATION"},
    {18, "INVALID-ID-INFORMATION"},
    {19, "INVALID-CERT-ENCODING"},
    {20, "INVALID-CERTIFICATE"},
    {21, "CERT-TYPE-UNSUPPORTED"},
    {22, "INVALID-CERT-AUTHORITY"},
    {23, "INVALID-HASH-INFORMATION"},
    {24, "AUTHENTICATION-FAILED"},
    {25, "INVALID-SIGNATURE"},
    {26, "ADDRESS-NOTIFICATION"},
    {27, "NOTIFY-SA-LIFETIME"},
    {28, "CERTIFICATE-UNAVAILABLE"},
    {29, "UNSUPPORTED-EXCHANGE-TYPE"},
    {30, "UNEQUAL-PAYLOAD-LENGTHS"},
    {16384, "CONNECTED"},
    {24576, "RESPONDER-LIFETIME"},
    {24577, "REPLAY-STATUS"},
    {24578, "INITIAL-CONTACT"},
    {36136, "R-U-THERE"},
    {36137, "R-U-THERE-ACK"},
};

const char *isakmp_notify_name(uint16_t type, char *buffer)
{
    return name_or(name_of_number(NAMES(notify_names), type), "notify", type, buffer);
}

/* RFC 2407 section 4.6.2.1. */
static const struct number_name id_type_names[] = {
    {1, "IPV4_ADDR"},       {2, "FQDN"},
    {3, "USER_FQDN"},       {4, "IPV4_ADDR_SUBNET"},
    {5, "IPV6_ADDR"},       {6, "IPV6_ADDR_SUBNET"},
    {7, "IPV4_ADDR_RANGE"}, {8, "IPV6_ADDR_RANGE"},
    {9, "DER_ASN1_DN"},     {10, "DER_ASN1_GN"},
    {11, "KEY_ID"},
};

const char *isakmp_id_type_name(uint8_t type)
{
    return name_of_number(NAMES(id_type_names), type);
}

/* RFC 2408 section 3.9. */
static const struct number_name certificate_names[] = {
    {0, "none"},
    {1, "PKCS #7 wrapped X.509 certificate"},
    {2, "PGP certificate"},
    {3, "DNS signed key"},
    {4, "X.509 certificate - signature"},
    {5, "X.509 certificate - key exchange"},
    {6, "Kerberos tokens"},
    {7, "certificate revocation list (CRL)"},
    {8, "authority revocation list (ARL)"},
    {9, "SPKI certificate"},
    {10, "X.509 certificate - attribute"},
};

const char *isakmp_certificate_name(uint8_t encoding)
{
    return name_of_number(NAMES(certificate_names), encoding);
}

/* RFC 2408 section 3.4, RFC 2407 section 4.2, RFC 6407 section 5.2. */
static const struct number_name doi_names[] = {{0, "ISAKMP"}, {1, "IPsec"}, {2, "GDOI"}};

const char *isakmp_doi_name(uint32_t doi)
{
    return name_of_number(NAMES(doi_names), doi);
}

/* draft-dukes-ike-mode-cfg-02 section 3.2 */
static const struct number_name config_type_names[] = {
    {1, "ISAKMP_CFG_REQUEST"}, {2, "ISAKMP_CFG_REPLY"}, {3, "ISAKMP_CFG_SET"}, {4, "ISAKMP_CFG_ACK"}};

const char *isakmp_config_type_name(uint8_t type)
{
    return name_of_number(NAMES(config_type_names), type);
}

/* draft-dukes-ike-mode-cfg-02 section 3.3, draft-beaulieu-ike-xauth-02 section 6.2. */
static const struct number_name config_attribute_names[] = {
    {1, "INTERNAL_IP4_ADDRESS"}, {2, "INTERNAL_IP4_NETMASK"},    {3, "INTERNAL_IP4_DNS"},
    {4, "INTERNAL_IP4_NBNS"},    {5, "INTERNAL_ADDRESS_EXPIRY"}, {6, "INTERNAL_IP4_DHCP"},
    {7, "APPLICATION_VERSION"},  {8, "INTERNAL_IP6_ADDRESS"},    {9, "INTERNAL_IP6_NETMASK"},
    {10, "INTERNAL_IP6_DNS"},    {11, "INTERNAL_IP6_NBNS"},      {12, "INTERNAL_IP6_DHCP"},
    {13, "INTERNAL_IP4_SUBNET"}, {14, "SUPPORTED_ATTRIBUTES"},   {15, "INTERNAL_IP6_SUBNET"},
    {16520, "XAUTH_TYPE"},       {16521, "XAUTH_USER_NAME"},     {16522, "XAUTH_USER_PASSWORD"},
    {16523, "XAUTH_PASSCODE"},   {16524, "XAUTH_MESSAGE"},       {16525, "XAUTH_CHALLENGE"},
    {16526, "XAUTH_DOMAIN"},     {16527, "XAUTH_STATUS"},        {16528, "XAUTH_NEXT_PIN"},
    {16529, "XAUTH_ANSWER"},
};

const char *isakmp_config_attribute_name(uint16_t type)
{
    return name_of_number(NAMES(config_attribute_names), type);
}

/* --- protocols and their transforms --- */

/* RFC 2407 section 4.4.1. */
static const struct number_name protocol_names[] = {{1, "isakmp"}, {2, "ah"}, {3, "esp"}, {4, "ipcomp"}};

const char *isakmp_protocol_name(uint8_t protocol, char *buffer)
{
    return name_or(name_of_number(NAMES(protocol_names), protocol), "protocol", protocol, buffer);
}

/* RFC 2407 section 4.4.2. */
static const struct number_name isakmp_transforms[] = {{1, "KEY_IKE"}};

/* RFC 2407 section 4.4.3; 5 to 7: RFC 4868; 8: RFC 2857; 9: RFC 3566; 10: RFC 4359; 11 to 13: RFC 4543. */
static const struct number_name ah_transforms[] = {
    {2, "AH_MD5"},      {3, "AH_SHA"},           {4, "AH_DES"},           {5, "AH_SHA2-256"},
    {6, "AH_SHA2-384"}, {7, "AH_SHA2-512"},      {8, "AH_RIPEMD"},        {9, "AH_AES-XCBC-MAC"},
    {10, "AH_RSA"},     {11, "AH_AES-128-GMAC"}, {12, "AH_AES-192-GMAC"}, {13, "AH_AES-256-GMAC"},
};

/* RFC 2407 section 4.4.4; 12: RFC 3602; 13: RFC 3686; 14 to 16: RFC 4309; 18 to 20: RFC 4106; 21: RFC 4196;
 * 22: RFC 4312; 23: RFC 4543. */
static const struct number_name esp_transforms[] = {
    {1, "ESP_DES_IV64"},    {2, "ESP_DES"},
    {3, "ESP_3DES"},        {4, "ESP_RC5"},
    {5, "ESP_IDEA"},        {6, "ESP_CAST"},
    {7, "ESP_BLOWFISH"},    {8, "ESP_3IDEA"},
    {9, "ESP_DES_IV32"},    {10, "ESP_RC4"},
    {11, "ESP_NULL"},       {12, "ESP_AES"},
    {13, "ESP_AES-CTR"},    {14, "ESP_AES-CCM_8"},
    {15, "ESP_AES-CCM_12"}, {16, "ESP_AES-CCM_16"},
    {18, "ESP_AES-GCM_8"},  {19, "ESP_AES-GCM_12"},
    {20, "ESP_AES-GCM_16"}, {21, "ESP_SEED_CBC"},
    {22, "ESP_CAMELLIA"},   {23, "ESP_NULL_AUTH_AES-GMAC"},
};

/* RFC 2407 section 4.4.5; 4: RFC 3051. */
static const struct number_name ipcomp_transforms[] = {
    {1, "IPCOMP_OUI"}, {2, "IPCOMP_DEFLATE"}, {3, "IPCOMP_LZS"}, {4, "IPCOMP_LZJH"}};

const char *isakmp_transform_name(uint8_t protocol, uint8_t id, char *buffer)
{
    static const struct name_table tables[] = {
        [1] = NAMES(isakmp_transforms),
        [2] = NAMES(ah_transforms),
        [3] = NAMES(esp_transforms),
        [4] = NAMES(ipcomp_transforms),
    };
    bool known = protocol < sizeof(tables) / sizeof(tables[0]);
    return name_or(known ? name_of_number(tables[protocol], id) : NULL, "transform", id, buffer);
}

/* --- what stands behind an IP header --- */

static const struct number_name ip_protocol_names[] = {
    {0, "hop-by-hop options"},
    {1, "ICMP"},
    {4, "IPv4"},
    {6, "TCP"},
    {17, "UDP"},
    {41, "IPv6"},
    {43, "routing header"},
    {44, "fragment header"},
    {47, "GRE"},
    {50, "ESP"},
    {51, "AH"},
    {58, "ICMPv6"},
    {59, "nothing"},
    {60, "destination options"},
    {89, "OSPF"},
    {108, "IPComp"},
    {132, "SCTP"},
};

const char *ip_protocol_name(uint8_t protocol)
{
    const char *name = name_of_number(NAMES(ip_protocol_names), protocol);
    return name ? name : "another protocol";
}
