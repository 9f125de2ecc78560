/* What somebody may have meant by a number with a unit that is written in another way. */
#ifndef P2_SCENARIO_UNITS_MEANT_H
#define P2_SCENARIO_UNITS_MEANT_H

#include <stdbool.h>
#include <stddef.h>

/* "10 sec" as "10s", "100Mbit/s" as "100Mbps", "5 %" as "5%". The caller sees whether that is allowed. False:
 * nothing is near. */
bool units_meant(const char *found, char *out, size_t size);

#endif
