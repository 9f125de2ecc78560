#include "units.h"

#include <string.h>

/* mantissa / 10^decimals, exactly as written. At most 18 digits, so that nothing overflows. */
struct decimal {
    uint64_t mantissa;
    unsigned decimals;
};

static const uint64_t powers_of_10[] = {1,
                                        10,
                                        100,
                                        1000,
                                        10000,
                                        100000,
                                        1000000,
                                        10000000,
                                        100000000,
                                        1000000000,
                                        UINT64_C(10000000000),
                                        UINT64_C(100000000000),
                                        UINT64_C(1000000000000),
                                        UINT64_C(10000000000000),
                                        UINT64_C(100000000000000),
                                        UINT64_C(1000000000000000),
                                        UINT64_C(10000000000000000),
                                        UINT64_C(100000000000000000),
                                        UINT64_C(1000000000000000000)};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns what follows the number, or NULL if there is none or it is too long. */
static const char *read_decimal(const char *text, struct decimal *out)
{
    struct decimal d = {0, 0};
    unsigned num_digits = 0;
    const char *p = text;
    for (; is_digit(*p); p++, num_digits++)
        d.mantissa = num_digits < 18 ? d.mantissa * 10 + (uint64_t)(*p - '0') : 0;
    if (num_digits == 0)
        return NULL;
    if (*p == '.') {
        for (p++; is_digit(*p); p++, num_digits++, d.decimals++)
            d.mantissa = num_digits < 18 ? d.mantissa * 10 + (uint64_t)(*p - '0') : 0;
        if (d.decimals == 0)
            return NULL;
    }
    if (num_digits > 18)
        return NULL;
    *out = d;
    return p;
}

/* value * factor, rounded half up, without losing the part that a plain product would overflow with. */
static bool scale_decimal(struct decimal d, uint64_t factor, uint64_t *out)
{
    uint64_t divisor = powers_of_10[d.decimals];
    uint64_t whole = d.mantissa / divisor, part = d.mantissa % divisor;
    if (whole > (uint64_t)INT64_MAX / factor)
        return false;
    /* part < 10^18: drop digits that are too fine to matter until the product fits. */
    while (part > UINT64_MAX / 2 / factor) {
        part /= 10;
        divisor /= 10;
    }
    uint64_t sum = whole * factor + (part * factor + divisor / 2) / divisor;
    if (sum > (uint64_t)INT64_MAX)
        return false;
    *out = sum;
    return true;
}

bool units_scaled(const char *text, const struct units_suffix *suffixes, uint64_t *out)
{
    struct decimal d;
    const char *rest = read_decimal(text, &d);
    if (!rest)
        return false;
    for (; suffixes->text; suffixes++) {
        if (strcmp(rest, suffixes->text) == 0)
            return scale_decimal(d, suffixes->factor, out);
    }
    return false;
}

bool units_time(const char *text, p2_time *out)
{
    static const struct units_suffix suffixes[] = {{"ns", 1},
                                                   {"us", 1000},
                                                   {"ms", 1000000},
                                                   {"s", 1000000000},
                                                   {"min", UINT64_C(60000000000)},
                                                   {"h", UINT64_C(3600000000000)},
                                                   {NULL, 0}};
    uint64_t ns;
    if (!units_scaled(text, suffixes, &ns))
        return false;
    *out = (p2_time)ns;
    return true;
}

bool units_picoseconds(const char *text, int64_t *out)
{
    static const struct units_suffix suffixes[] = {
        {"ps", 1}, {"ns", 1000}, {"us", 1000000}, {"ms", 1000000000}, {"s", UINT64_C(1000000000000)},
        {NULL, 0}};
    uint64_t ps;
    if (!units_scaled(text, suffixes, &ps))
        return false;
    *out = (int64_t)ps;
    return true;
}

bool units_rate(const char *text, uint64_t *out)
{
    static const struct units_suffix suffixes[] = {
        {"bps", 1}, {"kbps", 1000}, {"Mbps", 1000000}, {"Gbps", 1000000000}, {NULL, 0}};
    uint64_t rate;
    if (!units_scaled(text, suffixes, &rate) || rate == 0)
        return false;
    *out = rate;
    return true;
}

static bool whole_number(const char *text, const char *suffix, uint64_t max, uint64_t *out)
{
    struct decimal d;
    const char *rest = read_decimal(text, &d);
    if (!rest || d.decimals > 0 || strcmp(rest, suffix) != 0 || d.mantissa > max)
        return false;
    *out = d.mantissa;
    return true;
}

bool units_size(const char *text, uint32_t *out)
{
    uint64_t value;
    if (!whole_number(text, "B", UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool units_kilobytes(const char *text, uint32_t *out)
{
    static const struct units_suffix suffixes[] = {{"KB", 1}, {"MB", 1024}, {"GB", 1048576}, {NULL, 0}};
    uint64_t kilobytes;
    if (!units_scaled(text, suffixes, &kilobytes) || kilobytes == 0 || kilobytes > UINT32_MAX)
        return false;
    *out = (uint32_t)kilobytes;
    return true;
}

bool units_count(const char *text, uint32_t *out)
{
    uint64_t value;
    if (!whole_number(text, "", UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool units_number(const char *text, uint64_t *out)
{
    return whole_number(text, "", UINT64_MAX, out);
}

bool units_decimal(const char *text, double *out)
{
    struct decimal d;
    const char *rest = read_decimal(text, &d);
    if (!rest || *rest)
        return false;
    *out = (double)d.mantissa / (double)powers_of_10[d.decimals];
    return true;
}

bool units_permille(const char *text, uint32_t *out)
{
    static const struct units_suffix percent[] = {{"%", 10}, {NULL, 0}};
    uint64_t permille;
    if (!units_scaled(text, percent, &permille) || permille > UINT32_MAX)
        return false;
    *out = (uint32_t)permille;
    return true;
}

bool units_probability(const char *text, double *out)
{
    struct decimal d;
    const char *rest = read_decimal(text, &d);
    if (!rest || strcmp(rest, "%") != 0)
        return false;
    double probability = (double)d.mantissa / ((double)powers_of_10[d.decimals] * 100);
    if (probability > 1)
        return false;
    *out = probability;
    return true;
}

bool units_interval(const char *text, p2_time *out)
{
    static const struct units_suffix periods[] = {
        {"/ms", 1000000}, {"/s", 1000000000}, {"/min", UINT64_C(60000000000)}, {NULL, 0}};
    struct decimal d;
    const char *rest = read_decimal(text, &d);
    const struct units_suffix *period = periods;
    while (rest && period->text && strcmp(rest, period->text) != 0)
        period++;
    if (!rest || !period->text || d.mantissa == 0 || d.decimals > 9)
        return false;
    uint64_t interval;
    struct decimal scaled = {powers_of_10[d.decimals], 0}; /* period * 10^decimals / mantissa */
    if (!scale_decimal(scaled, period->factor, &interval))
        return false;
    interval = interval / d.mantissa + (interval % d.mantissa >= (d.mantissa + 1) / 2);
    if (interval == 0)
        return false;
    *out = (p2_time)interval;
    return true;
}
