#include "keys_impl.h"

#include "load_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE (256u << 20) /* bytes; some hundred thousand SAs */

static const char what_is_allowed[] =
    "keys.xml, or Wireshark's ikev1_decryption_table or esp_sa, as `phase2sim run` writes them";

/* --- errors and text --- */

int keys_complain(struct keys_reader *reader, const char *format, ...)
{
    if (*reader->error)
        return -1;
    int used = snprintf(reader->error, KEYS_ERROR, "%.200s:%d: ", reader->path, reader->line);
    va_list args;
    va_start(args, format);
    vsnprintf(reader->error + used, KEYS_ERROR - (size_t)used, format, args);
    va_end(args);
    return -1;
}

int keys_no_memory(struct keys_reader *reader)
{
    return keys_complain(reader, "out of memory; allowed: as much as there is");
}

struct keys_name keys_name(struct keys_text text)
{
    struct keys_name name = {""};
    if (text.len < sizeof name.text)
        memcpy(name.text, text.data, text.len);
    return name;
}

struct problems_quote keys_quote(struct keys_text text)
{
    char start[128] = ""; /* more than a quote shows */
    memcpy(start, text.data, text.len < sizeof start ? text.len : sizeof start - 1);
    return problems_quote(start);
}

bool keys_is(struct keys_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static struct keys_name quoted_byte(char byte)
{
    struct keys_name quoted;
    bool printable = byte >= ' ' && byte <= '~';
    snprintf(quoted.text, sizeof quoted.text, printable ? "\"%c\"" : "a byte of value %u",
             (unsigned char)byte);
    return quoted;
}

int keys_hex(struct keys_reader *reader, uint8_t *out, size_t *len, const char *name, struct keys_text hex,
             size_t min, size_t max)
{
    char allowed[80];
    if (min == max)
        snprintf(allowed, sizeof allowed, "%zu hex digits", 2 * min);
    else
        snprintf(allowed, sizeof allowed, "%zu to %zu hex digits, two a byte", 2 * min, 2 * max);
    for (size_t i = 0; i < hex.len; i++) {
        if (digit_value(hex.data[i]) < 0)
            return keys_complain(reader, "%s has %s as its character %zu; allowed: %s", name,
                                 quoted_byte(hex.data[i]).text, i + 1, allowed);
    }
    if (hex.len % 2 != 0 || hex.len < 2 * min || hex.len > 2 * max)
        return keys_complain(reader, "%s of %zu hex digits; allowed: %s", name, hex.len, allowed);
    *len = hex.len / 2;
    for (size_t i = 0; i < *len; i++)
        out[i] = (uint8_t)(digit_value(hex.data[2 * i]) * 16 + digit_value(hex.data[2 * i + 1]));
    return 0;
}

int keys_hex_exactly(struct keys_reader *reader, uint8_t *out, const char *name, struct keys_text hex,
                     size_t len)
{
    size_t decoded;
    return keys_hex(reader, out, &decoded, name, hex, len, len);
}

/* --- arrays whose old places are wiped --- */

static void *grown(const void *items, size_t num, size_t capacity, size_t size)
{
    void *bigger = calloc(capacity, size);
    if (bigger && num > 0)
        memcpy(bigger, items, num * size);
    return bigger;
}

static void discard(void *items, size_t num, size_t size)
{
    if (items)
        p2_wipe(items, num * size);
    free(items);
}

void *keys_append(void *array, size_t *num, size_t size)
{
    void *items;
    memcpy(&items, array, sizeof items);
    if ((*num & (*num - 1)) == 0) { /* a power of two, or none: full */
        void *bigger = grown(items, *num, *num > 0 ? 2 * *num : 1, size);
        if (!bigger)
            return NULL;
        discard(items, *num, size);
        items = bigger;
        memcpy(array, &items, sizeof items);
    }
    return (char *)items + size * (*num)++;
}

void known_keys_cleanup(struct known_keys *keys)
{
    discard(keys->isakmp, keys->num_isakmp, sizeof *keys->isakmp);
    discard(keys->secrets, keys->num_secrets, sizeof *keys->secrets);
    discard(keys->esp, keys->num_esp, sizeof *keys->esp);
    *keys = (struct known_keys){0};
}

/* Both one behind the other; with more_num 0, a copy. NULL: out of memory. */
static void *joined(const void *items, size_t num, const void *more, size_t more_num, size_t size)
{
    size_t capacity = 1;
    while (capacity < num + more_num)
        capacity *= 2;
    char *both = grown(items, num, capacity, size);
    if (both && more_num > 0)
        memcpy(both + num * size, more, more_num * size);
    return both;
}

/* All or nothing: whatever needs memory comes before *keys changes. */
static int add_all(struct known_keys *keys, const struct known_keys *more)
{
    struct known_keys both = {
        joined(keys->isakmp, keys->num_isakmp, more->isakmp, more->num_isakmp, sizeof *both.isakmp),
        joined(keys->secrets, keys->num_secrets, more->secrets, more->num_secrets, sizeof *both.secrets),
        joined(keys->esp, keys->num_esp, more->esp, more->num_esp, sizeof *both.esp),
        keys->num_isakmp + more->num_isakmp,
        keys->num_secrets + more->num_secrets,
        keys->num_esp + more->num_esp,
    };
    if (!both.isakmp || !both.secrets || !both.esp) {
        discard(both.isakmp, both.isakmp ? both.num_isakmp : 0, sizeof *both.isakmp);
        discard(both.secrets, both.secrets ? both.num_secrets : 0, sizeof *both.secrets);
        discard(both.esp, both.esp ? both.num_esp : 0, sizeof *both.esp);
        return -1;
    }
    known_keys_cleanup(keys);
    *keys = both;
    return 0;
}

/* --- files --- */

/* All of the stream, at most one byte more than is allowed; by doubling, since a pipe does not tell its
 * length. NULL: out of memory. */
static char *read_all(FILE *in, size_t *len)
{
    size_t capacity = 1 << 16, got = 1;
    char *data = malloc(capacity);
    *len = 0;
    while (data && got > 0 && *len <= MAX_FILE) {
        if (*len == capacity) {
            char *bigger = grown(data, *len, 2 * capacity, 1);
            discard(data, *len, 1);
            data = bigger;
            capacity *= 2;
        }
        got = data ? fread(data + *len, 1, capacity - *len, in) : 0;
        *len += got;
    }
    return data;
}

/* Nothing but white space and comments of the tables. */
static bool says_nothing(const char *text, size_t len)
{
    bool comment = false;
    for (size_t i = 0; i < len; i++) {
        comment = text[i] == '#' || (comment && text[i] != '\n');
        if (!comment && !keys_is_space(text[i]))
            return false;
    }
    return true;
}

/* XML begins with "<" whatever it is called; no line of a table does. */
static int read_text(struct keys_reader *reader, const char *text, size_t len, bool may_be_empty)
{
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* byte order mark */
    const char *null = len > 0 ? memchr(text, '\0', len) : NULL;
    if (len > MAX_FILE)
        return keys_complain(reader, "longer than %u bytes; allowed: %s", MAX_FILE, what_is_allowed);
    if (null) {
        for (const char *c = text; c < null; c++)
            reader->line += *c == '\n';
        return keys_complain(reader, "a byte of value 0; allowed: %s", what_is_allowed);
    }
    if (says_nothing(text + at, len - at))
        return may_be_empty ? 0 : keys_complain(reader, "nothing in it; allowed: %s", what_is_allowed);
    size_t first = at;
    while (keys_is_space(text[first]))
        first++;
    return text[first] == '<' ? keys_read_xml(reader, text, len)
                              : keys_read_tables(reader, text + at, len - at);
}

static int load_file(struct keys_reader *reader, bool may_be_empty)
{
    size_t len = 0;
    reader->line = 1;
    const char *why;
    FILE *in = load_open(reader->path, &why);
    char *text = in ? read_all(in, &len) : NULL;
    int error = errno, r;
    if (!in || (text && ferror(in)))
        r = keys_complain(reader, "can not be read: %s; allowed: %s", in ? strerror(error) : why,
                          what_is_allowed);
    else if (!text)
        r = keys_no_memory(reader);
    else
        r = read_text(reader, text, len, may_be_empty);
    discard(text, len, 1);
    if (in)
        (void)fclose(in);
    return r;
}

/* 1: loaded; 0: there is no such file; -1: complained. */
static int load_inside(struct keys_reader *reader, const char *directory, const char *name)
{
    struct stat status;
    bool is_table = strcmp(name, "keys.xml") != 0;
    if ((size_t)snprintf(reader->path, sizeof reader->path, "%s/%s", directory, name) >= sizeof reader->path)
        return keys_complain(reader, "too long a path; allowed: at most %zu bytes", sizeof reader->path - 1);
    if (stat(reader->path, &status) < 0 && errno == ENOENT)
        return 0;
    return load_file(reader, is_table) < 0 ? -1 : 1;
}

/* keys.xml holds all that the ISAKMP table does and what is needed to derive the rest. Wireshark leaves
 * tables without an entry behind, which are no fault as long as there is another. */
static int load_directory(struct keys_reader *reader, const char *directory)
{
    int loaded = load_inside(reader, directory, "keys.xml");
    if (loaded != 0)
        return loaded < 0 ? -1 : 0;
    if (load_inside(reader, directory, "ikev1_decryption_table") < 0 ||
        load_inside(reader, directory, "esp_sa") < 0)
        return -1;
    if (reader->keys->num_isakmp + reader->keys->num_esp > 0)
        return 0;
    snprintf(reader->error, KEYS_ERROR,
             "%.200s: a directory without keys; allowed: one with keys.xml, or with Wireshark's "
             "ikev1_decryption_table or esp_sa that have a line each",
             directory);
    return -1;
}

int known_keys_load(struct known_keys *keys, const char *path, char error[KEYS_ERROR])
{
    struct known_keys found = {0};
    struct keys_reader reader = {.keys = &found, .line = 1, .error = error};
    struct stat status;
    int r;
    error[0] = '\0';
    snprintf(reader.path, sizeof reader.path, "%s", path);
    if (strlen(path) >= sizeof reader.path)
        r = keys_complain(&reader, "too long a path; allowed: at most %zu bytes", sizeof reader.path - 1);
    else if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        r = load_directory(&reader, path);
    else
        r = load_file(&reader, false);
    if (r == 0 && add_all(keys, &found) < 0)
        r = keys_no_memory(&reader);
    known_keys_cleanup(&found);
    return r;
}
