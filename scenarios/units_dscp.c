/* Differentiated services code points by name. */
#include "units.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_LEN 4

static bool is_digit_of(char c, char first, char last)
{
    return c >= first && c <= last;
}

bool units_dscp(const char *text, uint8_t *out)
{
    static const struct {
        const char *name;
        uint8_t dscp;
    } names[] = {{"be", 0}, {"le", 1}, {"ef", 46}, {"va", 44}};
    uint32_t number;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out = names[i].dscp;
            return true;
        }
    }
    if (strncmp(text, "cs", 2) == 0 && is_digit_of(text[2], '0', '7') && text[3] == '\0')
        number = (uint32_t)(text[2] - '0') << 3;
    else if (strncmp(text, "af", 2) == 0 && is_digit_of(text[2], '1', '4') &&
             is_digit_of(text[3], '1', '3') &&
             text[4] == '\0') /* class, and drop precedence: RFC 2597 section 6 */
        number = (uint32_t)(text[2] - '0') << 3 | (uint32_t)(text[3] - '0') << 1;
    else if (!units_count(text, &number) || number > 63)
        return false;
    *out = (uint8_t)number;
    return true;
}

bool units_dscps(const char *text, uint64_t *out)
{
    uint64_t dscps = 0;
    for (;;) {
        char name[NAME_MAX_LEN + 1];
        uint8_t dscp;
        while (isspace((unsigned char)*text))
            text++;
        size_t len = strcspn(text, " \t\r\n");
        if (len == 0)
            break;
        if (len > NAME_MAX_LEN)
            return false;
        memcpy(name, text, len);
        name[len] = '\0';
        if (!units_dscp(name, &dscp))
            return false;
        dscps |= UINT64_C(1) << dscp;
        text += len;
    }
    if (dscps == 0)
        return false;
    *out = dscps;
    return true;
}
