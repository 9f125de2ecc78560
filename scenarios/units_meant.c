#include "units_meant.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Other ways to write a unit, in lower case and without blanks. "m" is left out: it may be ms or min. */
static const struct {
    const char *written, *unit;
} others[] = {
    {"nsec", "ns"},      {"nanoseconds", "ns"}, {"usec", "us"},
    {"\xc2\xb5s", "us"}, {"\xce\xbcs", "us"},   {"msec", "ms"},
    {"msecs", "ms"},     {"millis", "ms"},      {"milliseconds", "ms"},
    {"sec", "s"},        {"secs", "s"},         {"second", "s"},
    {"seconds", "s"},    {"mins", "min"},       {"minute", "min"},
    {"minutes", "min"},  {"hr", "h"},           {"hrs", "h"},
    {"hour", "h"},       {"hours", "h"},        {"bit/s", "bps"},
    {"kbit/s", "kbps"},  {"mbit/s", "Mbps"},    {"gbit/s", "Gbps"},
    {"kbit", "kbps"},    {"mbit", "Mbps"},      {"gbit", "Gbps"},
    {"kb/s", "kbps"},    {"mb/s", "Mbps"},      {"gb/s", "Gbps"},
    {"byte", "B"},       {"bytes", "B"},        {"octets", "B"},
    {"kib", "KB"},       {"mib", "MB"},         {"gib", "GB"},
    {"percent", "%"},    {"pps", "/s"},         {"/sec", "/s"},
    {"/second", "/s"},   {"packets/s", "/s"},   {"/minute", "/min"},
    {"/msec", "/ms"},
};

/* As the schema writes them: the same in another case. */
static const char *const units[] = {"ps",   "ns",   "us", "ms", "s",  "min", "h",   "bps", "kbps",
                                    "Mbps", "Gbps", "B",  "KB", "MB", "GB",  "/ms", "/s",  "/min"};

static bool same_word(const char *a, const char *b)
{
    for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++)
        b++;
    return *a == *b;
}

static const char *find_unit(const char *written)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (same_word(written, units[i]))
            return units[i];
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (same_word(written, others[i].written))
            return others[i].unit;
    }
    return *written == '\0' || strcmp(written, "%") == 0 ? written : NULL;
}

bool units_meant(const char *found, char *out, size_t size)
{
    char text[40];
    size_t len = 0, digits = 0;
    for (; *found; found++) {
        if (isspace((unsigned char)*found))
            continue;
        if (len + 1 == sizeof text)
            return false;
        text[len++] = (char)(*found == ',' ? '.' : *found);
    }
    text[len] = '\0';
    while (isdigit((unsigned char)text[digits]) || text[digits] == '.')
        digits++;
    const char *unit = digits > 0 ? find_unit(text + digits) : NULL;
    return unit && (size_t)snprintf(out, size, "%.*s%s", (int)digits, text, unit) < size;
}
