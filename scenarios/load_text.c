#include "load_text.h"

#include "load_xml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libxml2 compares each attribute of an element with all others. */
#define MAX_ATTRIBUTES 256
/* More than 20000 tunnels, links, flows and events have. */
#define MAX_ELEMENTS 250000

/* A pipe by one of these names is open at its other end already; one in a folder may wait for ever. */
static bool is_given(const char *path)
{
    return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/proc/self/fd/", 14) == 0;
}

static const char *unreadable_kind(mode_t mode, const char *path)
{
    if (S_ISREG(mode) || (S_ISFIFO(mode) && is_given(path)))
        return NULL;
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a FIFO, which may never say anything"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device, which may never end";
}

FILE *load_open(const char *path, const char **why)
{
    struct stat is;
    /* Without O_NONBLOCK, opening a FIFO waits for its other end. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *why = fd < 0 || fstat(fd, &is) != 0 ? strerror(errno) : unreadable_kind(is.st_mode, path);
    FILE *in = NULL;
    if (!*why && (fcntl(fd, F_SETFL, 0) != 0 || !(in = fdopen(fd, "rb"))))
        *why = strerror(errno);
    if (fd >= 0 && !in)
        close(fd);
    return in;
}

/* XML 1.0 section 2.11 reads a CR without LF as a line break; libxml2 does too but does not count it. */
static void break_lines(char *text, size_t len)
{
    for (char *cr = text; (cr = memchr(cr, '\r', len - (size_t)(cr - text))); cr++) {
        if (cr + 1 == text + len || cr[1] != '\n')
            *cr = '\n';
    }
}

char *load_text_file(struct problems *problems, const char *file, size_t *len)
{
    const char *why;
    FILE *in = load_open(file, &why);
    char *data = in ? malloc(LOAD_MAX_FILE + 1) : NULL;
    /* At most one byte more than is allowed, so that the check sees that there is more. */
    *len = data ? fread(data, 1, LOAD_MAX_FILE + 1, in) : 0;
    bool ok = data && !ferror(in);
    if (!in || (data && !ok))
        problems_add(problems, 1, "can not be read: %s; allowed: a readable XML file",
                     in ? strerror(errno) : why);
    else if (!data)
        problems_no_memory(problems);
    if (in)
        (void)fclose(in);
    if (!ok) {
        free(data);
        return NULL;
    }
    break_lines(data, *len);
    return data;
}

static int line_at(const char *xml, const char *at)
{
    int line = 1;
    for (; xml < at; xml++)
        line += *xml == '\n';
    return line;
}

static bool is_blank(const char *xml, size_t len)
{
    size_t i = 0;
    while (i < len && xml[i] && strchr(" \t\r\n", xml[i]))
        i++;
    return i == len;
}

/* Two or four bytes a character begin with a byte order mark, or have a zero beside their first "<". */
static bool is_wide(const unsigned char *xml, size_t len)
{
    if (len < 2)
        return false;
    return (xml[0] == 0xff && xml[1] == 0xfe) || (xml[0] == 0xfe && xml[1] == 0xff) ||
           (xml[0] == 0 && (xml[1] == '<' || xml[1] == 0)) || (xml[0] == '<' && xml[1] == 0);
}

/* How many bytes the UTF-8 sequence has that begins here; 0: it is none (RFC 3629 section 4). */
static size_t sequence_len(const unsigned char *at, size_t left)
{
    unsigned char first = at[0], low = 0x80, high = 0xbf;
    size_t len = first < 0x80   ? 1
                 : first < 0xc2 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf5 ? 4
                                : 0;
    if (len < 2)
        return len;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf4)
        high = 0x8f;
    if (left < len || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

static bool check_bytes(struct problems *problems, const char *xml, size_t len)
{
    size_t i = 0, step = 1;
    if (is_wide((const unsigned char *)xml, len)) {
        problems_add(problems, 1, "not in UTF-8, but in UTF-16 or UTF-32; allowed: text in UTF-8");
        return false;
    }
    while (i < len && step > 0 && xml[i] != '\0') {
        step = sequence_len((const unsigned char *)xml + i, len - i);
        i += step;
    }
    if (i == len)
        return true;
    int line = line_at(xml, xml + i);
    if (xml[i] == '\0')
        problems_add(problems, line, "a byte of value 0; allowed: text in UTF-8");
    else
        problems_add(problems, line, "not in UTF-8 from a byte of value %u on; allowed: text in UTF-8",
                     (unsigned char)xml[i]);
    return false;
}

static bool is_utf8(const char *name, size_t len)
{
    static const char *const names[] = {"utf-8", "utf8", "us-ascii", "ascii"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t j = 0;
        while (j < len && names[i][j] && (name[j] | 0x20) == (names[i][j] | 0x20))
            j++;
        if (j == len && !names[i][j])
            return true;
    }
    return false;
}

/* <?xml version="1.0" encoding="..."?> */
static bool check_declaration(struct problems *problems, const char *xml, size_t len)
{
    char start[256] = "";
    memcpy(start, xml, len < sizeof start ? len : sizeof start - 1);
    const char *declaration = strncmp(start, "\xef\xbb\xbf", 3) == 0 ? start + 3 : start;
    char *end = strstr(start, "?>");
    if (strncmp(declaration, "<?xml", 5) != 0 || !end)
        return true;
    *end = '\0';
    const char *encoding = strstr(declaration, "encoding");
    const char *name = encoding ? strpbrk(encoding, "\"'") : NULL;
    const char *name_end = name ? strchr(name + 1, *name) : NULL;
    if (!name_end || is_utf8(name + 1, (size_t)(name_end - name - 1)))
        return true;
    problems_add(problems, line_at(start, name), "encoding=\"%.*s\"; allowed: UTF-8",
                 (int)(name_end - name - 1), name + 1);
    return false;
}

/* Behind the next `end`; NULL: there is none. */
static const char *behind(const char *at, const char *limit, const char *end)
{
    size_t len = strlen(end);
    while ((at = memchr(at, *end, (size_t)(limit - at)))) {
        if ((size_t)(limit - at) >= len && memcmp(at, end, len) == 0)
            return at + len;
        at++;
    }
    return NULL;
}

/* Counts the attributes of a tag; returns where it ends, NULL: nowhere. */
static const char *count_attributes(const char *at, const char *limit, size_t *num)
{
    *num = 0;
    for (; at && at < limit && *at != '>'; at++) {
        *num += *at == '=';
        if (*at == '"' || *at == '\'')
            at = memchr(at + 1, *at, (size_t)(limit - at - 1));
        if (!at)
            return NULL;
    }
    return at < limit ? at + 1 : NULL;
}

static bool report_size(struct problems *problems, int line, size_t num_attributes)
{
    if (num_attributes > MAX_ATTRIBUTES)
        problems_add(problems, line,
                     "an element with %zu attributes; allowed: what phase2sim.xsd describes, at most %d",
                     num_attributes, MAX_ATTRIBUTES);
    else
        problems_add(problems, line, "too many elements; allowed: at most %d", MAX_ELEMENTS);
    return false;
}

static bool check_tags(struct problems *problems, const char *xml, size_t len)
{
    const char *limit = xml + len, *at = xml;
    size_t num_elements = 0;
    while (at && (at = memchr(at, '<', (size_t)(limit - at)))) {
        const char *tag = at++;
        size_t num = 0;
        if (at == limit)
            break;
        if (*at == '?')
            at = behind(at, limit, "?>");
        else if (*at == '!' && limit - at > 2 && at[1] == '-')
            at = behind(at + 2, limit, "-->");
        else if (*at == '!')
            at = behind(at, limit, limit - at > 7 && at[1] == '[' ? "]]>" : ">");
        else
            at = count_attributes(at, limit, &num);
        num_elements += tag[1] != '/' && tag[1] != '!' && tag[1] != '?';
        if (num > MAX_ATTRIBUTES || num_elements > MAX_ELEMENTS)
            return report_size(problems, line_at(xml, tag), num);
    }
    return true;
}

bool load_text_check(struct problems *problems, const char *xml, size_t len)
{
    if (len > LOAD_MAX_FILE) {
        problems_add(problems, 1, "longer than 16 MB; allowed: at most %u bytes", LOAD_MAX_FILE);
        return false;
    }
    if (is_blank(xml, len)) {
        problems_add(problems, 1, "nothing in it; allowed: XML 1.0 whose root is <scenario xmlns=\"%s\">",
                     SCENARIO_NAMESPACE);
        return false;
    }
    return check_bytes(problems, xml, len) && check_declaration(problems, xml, len) &&
           check_tags(problems, xml, len);
}
