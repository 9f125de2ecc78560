/* Wireshark's tables ikev1_decryption_table and esp_sa: a line is a record, its fields have commas between
 * them and may stand in quotes. How many fields there are tells which table a line belongs to. */
#include "keys_impl.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 9

struct fields {
    struct keys_text list[MAX_FIELDS];
    size_t num; /* more than MAX_FIELDS: the line has more than are kept */
};

static const char two_kinds[] =
    "COOKIE,KEY (ikev1_decryption_table) or \"IPv4\",\"SOURCE\",\"DESTINATION\",\"SPI\",\"CIPHER\",\"KEY\","
    "\"AUTHENTICATION\",\"KEY\" (esp_sa)";

/* --- lines and fields --- */

static struct keys_text trimmed(struct keys_text text)
{
    while (text.len > 0 && keys_is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && keys_is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

static size_t length_until(struct keys_text text, char end)
{
    const char *found = text.len > 0 ? memchr(text.data, end, text.len) : NULL;
    return found ? (size_t)(found - text.data) : text.len;
}

static struct keys_text behind(struct keys_text text, size_t len)
{
    return (struct keys_text){text.data + len, text.len - len};
}

/* Takes one field off the line. False: its quotes do not match. */
static bool take_field(struct keys_text *field, struct keys_text *line)
{
    *line = trimmed(*line);
    bool quoted = line->len > 0 && line->data[0] == '"';
    if (quoted)
        *line = behind(*line, 1);
    *field = (struct keys_text){line->data, length_until(*line, quoted ? '"' : ',')};
    *line = behind(*line, field->len);
    if (!quoted) {
        *field = trimmed(*field);
        return length_until(*field, '"') == field->len;
    }
    if (line->len == 0)
        return false;
    *line = trimmed(behind(*line, 1));
    return line->len == 0 || line->data[0] == ',';
}

static int split(struct keys_reader *reader, struct fields *fields, struct keys_text line)
{
    fields->num = 0;
    for (bool more = true; more; fields->num++) {
        struct keys_text field;
        if (!take_field(&field, &line))
            return keys_complain(reader, "quotes that do not enclose field %zu; allowed: %s", fields->num + 1,
                                 two_kinds);
        if (fields->num < MAX_FIELDS)
            fields->list[fields->num] = field;
        more = line.len > 0;
        if (more)
            line = behind(line, 1);
    }
    return 0;
}

/* --- names and lengths that are allowed --- */

static bool is_row(enum p2_cipher cipher, const char *wireshark)
{
    return wireshark ? cipher != P2_CIPHER_NONE && strcmp(p2_cipher_of(cipher)->wireshark, wireshark) == 0
                     : p2_cipher_is_for_ike(cipher);
}

static size_t key_length(enum p2_cipher cipher)
{
    return p2_cipher_of(cipher)->key_len + p2_cipher_of(cipher)->salt_len;
}

/* The row that takes a key of this length, of those that Wireshark has one name for, or of those for ISAKMP
 * if it is NULL; NONE: no row does. Then `lengths` lists those that would do, in hex digits. */
static enum p2_cipher cipher_by_length(char lengths[PROBLEMS_LIST], const char *wireshark, size_t len)
{
    bool listed[P2_CIPHER_MAX_KEY + 1] = {false};
    for (unsigned c = 0; c < P2_NUM_CIPHERS; c++) {
        if (!is_row((enum p2_cipher)c, wireshark))
            continue;
        if (key_length((enum p2_cipher)c) == len)
            return (enum p2_cipher)c;
        listed[key_length((enum p2_cipher)c)] = true;
    }
    size_t used = 0;
    for (size_t i = 0; i <= P2_CIPHER_MAX_KEY; i++) {
        if (listed[i])
            used += (size_t)snprintf(lengths + used, PROBLEMS_LIST - used, "%s%zu", used > 0 ? " or " : "",
                                     2 * i);
    }
    return P2_CIPHER_NONE;
}

static const char *cipher_name(unsigned cipher)
{
    return cipher == P2_CIPHER_NONE ? NULL : p2_cipher_of((enum p2_cipher)cipher)->wireshark;
}

static const char *auth_name(unsigned auth)
{
    return p2_auth_of((enum p2_auth)auth)->wireshark;
}

/* Rows that share a name follow each other, so that it is listed once. */
static int complain_algorithm(struct keys_reader *reader, const char *what, struct keys_text found,
                              const char *(*name_of)(unsigned), unsigned num)
{
    struct problems_names names = {0};
    char list[PROBLEMS_LIST];
    for (unsigned i = 0; i < num; i++) {
        const char *name = name_of(i);
        if (name && (names.num == 0 || strcmp(names.items[names.num - 1], name) != 0))
            problems_names_add(&names, name);
    }
    problems_list(list, &names, keys_name(found).text);
    problems_names_cleanup(&names);
    return keys_complain(reader, "%s \"%s\"; allowed: %s", what, keys_quote(found).text, list);
}

/* --- ikev1_decryption_table --- */

static bool has_0x(struct keys_text text)
{
    return text.len >= 2 && text.data[0] == '0' && (text.data[1] == 'x' || text.data[1] == 'X');
}

static struct keys_text without_0x(struct keys_text text)
{
    return has_0x(text) ? behind(text, 2) : text;
}

static int read_isakmp(struct keys_reader *reader, const struct fields *fields)
{
    char lengths[PROBLEMS_LIST];
    struct known_isakmp *sa = KEYS_APPEND(reader->keys->isakmp, reader->keys->num_isakmp);
    if (!sa)
        return keys_no_memory(reader);
    sa->any_responder = true;
    if (keys_hex_exactly(reader, sa->initiator_cookie, "the initiator's cookie", without_0x(fields->list[0]),
                         sizeof sa->initiator_cookie) < 0 ||
        keys_hex(reader, sa->key, &sa->key_len, "the key", without_0x(fields->list[1]), 1, sizeof sa->key) <
            0)
        return -1;
    if (cipher_by_length(lengths, NULL, sa->key_len) == P2_CIPHER_NONE)
        return keys_complain(reader, "the key of %zu hex digits; allowed: %s hex digits", 2 * sa->key_len,
                             lengths);
    return 0;
}

/* --- esp_sa --- */

static int read_address(struct keys_reader *reader, struct p2_address *address, bool *any, uint8_t family,
                        const char *what, struct keys_text text)
{
    *any = keys_is(text, "*");
    if (*any || (p2_address_parse(address, keys_name(text).text) && address->family == family))
        return 0;
    return keys_complain(reader, "the %s \"%s\"; allowed: an IPv%u address, or *", what,
                         keys_quote(text).text, family);
}

static int read_where(struct keys_reader *reader, struct known_esp *sa, const struct fields *fields)
{
    struct keys_text family = fields->list[0], spi = fields->list[3], digits = without_0x(spi);
    sa->family = keys_is(family, "IPv4") ? 4 : keys_is(family, "IPv6") ? 6 : 0;
    if (sa->family == 0)
        return keys_complain(reader, "the protocol \"%s\"; allowed: IPv4, IPv6", keys_quote(family).text);
    if (read_address(reader, &sa->source, &sa->any_source, sa->family, "source", fields->list[1]) < 0 ||
        read_address(reader, &sa->destination, &sa->any_destination, sa->family, "destination",
                     fields->list[2]) < 0)
        return -1;
    sa->any_spi = keys_is(spi, "*");
    if (sa->any_spi)
        return 0;
    if (!has_0x(spi) || digits.len == 0 || digits.len > 8 ||
        strspn(keys_name(digits).text, "0123456789abcdefABCDEF") != digits.len)
        return keys_complain(reader, "the SPI \"%s\"; allowed: 0x and 1 to 8 hex digits, or *",
                             keys_quote(spi).text);
    sa->spi = (uint32_t)strtoul(keys_name(digits).text, NULL, 16);
    return 0;
}

/* Without 0x, Wireshark takes a key for text: 32 hex digits would be 32 bytes, and hardly what is meant. */
static int read_key(struct keys_reader *reader, uint8_t *out, size_t *len, const char *what,
                    struct keys_text text, size_t max)
{
    if (!has_0x(text))
        return keys_complain(reader, "%s without 0x; allowed: 0x and hex digits", what);
    return keys_hex(reader, out, len, what, without_0x(text), 1, max);
}

static int read_cipher(struct keys_reader *reader, struct known_esp *sa, struct keys_text name,
                       struct keys_text key)
{
    struct keys_name wireshark = keys_name(name);
    char lengths[PROBLEMS_LIST];
    size_t len = 0;
    unsigned c = P2_CIPHER_NONE + 1;
    while (c < P2_NUM_CIPHERS && !is_row((enum p2_cipher)c, wireshark.text))
        c++;
    if (c == P2_NUM_CIPHERS)
        return complain_algorithm(reader, "the cipher", name, cipher_name, P2_NUM_CIPHERS);
    sa->cipher = (enum p2_cipher)c;
    if (key_length(sa->cipher) == 0) /* and whatever key stands there is not looked at */
        return 0;
    if (read_key(reader, sa->encryption_key, &len, "the cipher's key", key, sizeof sa->encryption_key) < 0)
        return -1;
    sa->cipher = cipher_by_length(lengths, wireshark.text, len);
    if (sa->cipher == P2_CIPHER_NONE)
        return keys_complain(reader, "the key of %s has %zu hex digits; allowed: %s hex digits",
                             wireshark.text, 2 * len, lengths);
    return 0;
}

static int read_auth(struct keys_reader *reader, struct known_esp *sa, struct keys_text name,
                     struct keys_text key)
{
    size_t len;
    unsigned a = 0;
    while (a < P2_NUM_AUTHS && !keys_is(name, auth_name(a)))
        a++;
    if (a == P2_NUM_AUTHS)
        return complain_algorithm(reader, "the authentication", name, auth_name, P2_NUM_AUTHS);
    sa->auth = (enum p2_auth)a;
    if (sa->auth == P2_AUTH_NONE)
        return 0;
    if (p2_cipher_of(sa->cipher)->icv_len > 0)
        return keys_complain(reader,
                             "the authentication \"%s\" with %s, which authenticates by itself; "
                             "allowed: NULL",
                             auth_name(a), cipher_name(sa->cipher));
    if (read_key(reader, sa->authentication_key, &len, "the authentication's key", key,
                 sizeof sa->authentication_key) < 0)
        return -1;
    if (len != p2_auth_of(sa->auth)->key_len)
        return keys_complain(reader, "the key of %s has %zu hex digits; allowed: %zu hex digits",
                             auth_name(a), 2 * len, 2 * p2_auth_of(sa->auth)->key_len);
    return 0;
}

static int read_esp(struct keys_reader *reader, const struct fields *fields)
{
    struct known_esp *sa = KEYS_APPEND(reader->keys->esp, reader->keys->num_esp);
    if (!sa)
        return keys_no_memory(reader);
    return read_where(reader, sa, fields) < 0 ||
                   read_cipher(reader, sa, fields->list[4], fields->list[5]) < 0 ||
                   read_auth(reader, sa, fields->list[6], fields->list[7]) < 0
               ? -1
               : 0;
}

/* --- tables --- */

static int read_line(struct keys_reader *reader, struct keys_text line)
{
    struct fields fields;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.data[i];
        if (byte < ' ' && byte != '\t')
            return keys_complain(reader, "a byte of value %u; allowed: text, lines %s", byte, two_kinds);
    }
    if (split(reader, &fields, line) < 0)
        return -1;
    if (fields.num == 2)
        return read_isakmp(reader, &fields);
    /* Wireshark 4 may have a ninth: how long sequence numbers are, which a packet does not need it for. */
    if (fields.num == 8 || fields.num == 9)
        return read_esp(reader, &fields);
    return keys_complain(reader, "a line of %zu field%s; allowed: %s", fields.num, fields.num == 1 ? "" : "s",
                         two_kinds);
}

int keys_read_tables(struct keys_reader *reader, const char *text, size_t len)
{
    struct keys_text rest = {text, len};
    for (reader->line = 1; rest.len > 0; reader->line++) {
        struct keys_text line = trimmed((struct keys_text){rest.data, length_until(rest, '\n')});
        size_t whole = length_until(rest, '\n');
        rest = behind(rest, whole < rest.len ? whole + 1 : whole);
        if (line.len > 0 && line.data[0] != '#' && read_line(reader, line) < 0)
            return -1;
    }
    return 0;
}
