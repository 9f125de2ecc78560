#include "figure_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} time_units[] = {{"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}};

enum { NUM_TIME_UNITS = sizeof time_units / sizeof time_units[0] };

/* Decimals that leave three or four digits of a value: 2 for 1.25, 1 for 61.3 and 102.5. */
static int decimals_for(double value)
{
    return value >= 999.95 ? 0 : value >= 9.995 ? 1 : 2;
}

static void format_ns(char text[FIGURE_TEXT], double ns, int more_decimals)
{
    size_t unit = 0;
    double size = fabs(ns);
    if (llround(ns) == 0) {
        snprintf(text, FIGURE_TEXT, "0 ms");
        return;
    }
    while (unit + 1 < NUM_TIME_UNITS && size >= 0.99995 * time_units[unit + 1].ns)
        unit++;
    size /= time_units[unit].ns;
    snprintf(text, FIGURE_TEXT, "%.*f %s", decimals_for(size) + more_decimals, ns / time_units[unit].ns,
             time_units[unit].name);
}

void figure_text_ns(char text[FIGURE_TEXT], double ns)
{
    format_ns(text, ns, 0);
}

void figure_text_range(char text[FIGURE_RANGE_TEXT], double low_ns, double high_ns)
{
    char low[FIGURE_TEXT], high[FIGURE_TEXT];
    /* Both ends alike would look like certainty: more digits then, down to the nanosecond. */
    for (int more = 0; more <= 4; more++) {
        format_ns(low, low_ns, more);
        format_ns(high, high_ns, more);
        if (strcmp(low, high) != 0 || llround(low_ns) == llround(high_ns))
            break;
    }
    char *low_unit = strchr(low, ' '), *high_unit = strchr(high, ' ');
    if (low_unit && high_unit && strcmp(low_unit, high_unit) == 0)
        *low_unit = '\0';
    snprintf(text, FIGURE_RANGE_TEXT, "%s to %s", low, high);
}

void figure_text_difference(char text[FIGURE_TEXT], double ns)
{
    char number[FIGURE_TEXT];
    figure_text_ns(number, ns);
    snprintf(text, FIGURE_TEXT, "%s%.40s", llround(ns) > 0 ? "+" : "", number);
}

void figure_text(char text[FIGURE_TEXT], double value, const char *unit)
{
    if (strcmp(unit, "ns") == 0)
        figure_text_ns(text, value);
    else if (strcmp(unit, "ratio") == 0)
        snprintf(text, FIGURE_TEXT, "%.2f %%", 100 * value);
    else if (value == floor(value))
        snprintf(text, FIGURE_TEXT, "%.0f %.20s", value, unit);
    else
        snprintf(text, FIGURE_TEXT, "%.2f %.20s", value, unit);
}

struct figure_scale figure_scale_for(double smallest_ns, double largest_ns)
{
    /* Milliseconds are what rekeys are measured in: seconds only from 100 s on, microseconds only below 1 ms.
     */
    size_t unit = largest_ns >= 100e9 ? 2 : largest_ns < 1e6 ? 0 : 1;
    struct figure_scale scale = {time_units[unit].name, time_units[unit].ns, 0};
    if (smallest_ns > 0)
        scale.decimals = decimals_for(smallest_ns / scale.ns);
    if (largest_ns / scale.ns >= 999.5 && scale.decimals > 1)
        scale.decimals = 1;
    return scale;
}

void figure_text_scaled(char text[FIGURE_TEXT], double ns, const struct figure_scale *scale)
{
    /* A zero has no sign. */
    double value = ns / scale->ns;
    if (fabs(value) < 0.5 * pow(10, -scale->decimals))
        value = 0;
    snprintf(text, FIGURE_TEXT, "%.*f", scale->decimals, value);
}
