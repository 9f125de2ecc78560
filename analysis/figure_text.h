/* Figures as people read them: a unit that fits and three sensible digits. */
#ifndef P2_FIGURE_TEXT_H
#define P2_FIGURE_TEXT_H

#include <stddef.h>

#define FIGURE_TEXT       48
#define FIGURE_RANGE_TEXT (2 * FIGURE_TEXT + 8)

/* "61.3 ms", "4.20 µs", "0 ms", "1.25 s". */
void figure_text_ns(char text[FIGURE_TEXT], double ns);
/* "60.1 to 62.0 ms": with more digits if both ends would look alike. */
void figure_text_range(char text[FIGURE_RANGE_TEXT], double low_ns, double high_ns);
/* One value with a sign: "+61.3 ms", "-4.20 µs". */
void figure_text_difference(char text[FIGURE_TEXT], double ns);
/* By a metric's unit: "ns", "ratio" (as per cent), or a count of whatever the unit names: "12 packets". */
void figure_text(char text[FIGURE_TEXT], double value, const char *unit);

/* One unit and one number of decimals for a whole column or sentence. */
struct figure_scale {
    const char *name; /* "µs", "ms" or "s" */
    double ns;        /* in one unit */
    int decimals;
};

/* A scale that shows the largest value without a row of zeros and the smallest (not 0) with three digits if
 * it can. */
struct figure_scale figure_scale_for(double smallest_ns, double largest_ns);
/* The number alone, without its unit. */
void figure_text_scaled(char text[FIGURE_TEXT], double ns, const struct figure_scale *scale);

#endif
