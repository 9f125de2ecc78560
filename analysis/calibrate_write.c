#include "calibrate_impl.h"

#include <gmp.h>
#include <libxml/xmlwriter.h>
#include <nettle/version.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char explanation[] =
    " fixed: the time that one operation takes on one core; per-byte: each byte on top of it. Every figure "
    "bears its unit. "
    "spread: how far the quickest repetitions were apart (see the method), relative to the price. ";

void calibrate_format_spread(char text[CALIBRATE_SPREAD_TEXT], double spread)
{
    int per_mille = spread < 1e6 ? (int)(spread * 1000 + 0.5) : 1000000000;
    snprintf(text, CALIBRATE_SPREAD_TEXT, "%d.%d%%", per_mille / 10, per_mille % 10);
}

#define TIME_TEXT 32

/* "153.2us": four significant figures in the unit that needs no leading zeros. On integers, so that no locale
 * changes the decimal point. */
static void format_time(char text[TIME_TEXT], double ns)
{
    static const char *const units[] = {"ps", "ns", "us", "ms", "s"};
    int64_t ps = (int64_t)(ns * 1000 + 0.5), step = 1;
    size_t unit = 0;
    int64_t per_unit = 1;
    while (ps / step >= 10000)
        step *= 10;
    ps = (ps + step / 2) / step * step;
    for (; unit + 1 < sizeof units / sizeof units[0] && ps / per_unit >= 1000; unit++)
        per_unit *= 1000;
    char fraction[4] = "000";
    if (per_unit > 1)
        snprintf(fraction, sizeof fraction, "%03d", (int)(ps * 1000 / per_unit % 1000));
    size_t len = 3;
    while (len > 0 && fraction[len - 1] == '0')
        fraction[--len] = '\0';
    snprintf(text, TIME_TEXT, "%" PRId64 "%s%s%s", ps / per_unit, len > 0 ? "." : "", fraction, units[unit]);
}

/* The value of the first "key : value" line of /proc/cpuinfo; "?" if there is none, or no such file. 0, or
 * -1: it cannot be read. */
static int cpuinfo_value(char *value, size_t capacity, const char *key)
{
    char line[512];
    size_t key_len = strlen(key);
    snprintf(value, capacity, "?");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return errno == ENOENT ? 0 : -1;
    while (fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, key_len) != 0 ||
            strspn(line + key_len, " \t") != (size_t)(colon - line) - key_len)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(value, capacity, "%s", colon);
        break;
    }
    (void)fclose(file);
    return 0;
}

/* Virtual machines often have no better model name than "Intel(R) Xeon(R) Processor", so the numbers go with
 * it. */
static int cpu_name(char *name, size_t capacity)
{
    char model_name[80], family[8], model[8], stepping[8];
    if (cpuinfo_value(model_name, sizeof model_name, "model name") ||
        cpuinfo_value(family, sizeof family, "cpu family") || cpuinfo_value(model, sizeof model, "model") ||
        cpuinfo_value(stepping, sizeof stepping, "stepping"))
        return -1;
    snprintf(name, capacity, "%s (family %s, model %s, stepping %s)", model_name, family, model, stepping);
    return 0;
}

static int put(xmlTextWriterPtr writer, const char *name, const char *value)
{
    return xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST value) < 0 ? -1 : 0;
}

static int put_spread(xmlTextWriterPtr writer, double spread)
{
    char text[CALIBRATE_SPREAD_TEXT];
    calibrate_format_spread(text, spread);
    return put(writer, "spread", text);
}

static int write_source(xmlTextWriterPtr writer, const struct calibration *c)
{
    char cpu[160], date[16], method[128];
    double spread = 0;
    for (size_t i = 0; i < c->num_series; i++)
        spread = fmax(spread, c->series[i].spread);
    time_t now = time(NULL);
    struct tm tm;
    if (!gmtime_r(&now, &tm) || strftime(date, sizeof date, "%Y-%m-%d", &tm) == 0)
        return -1;
    if (cpu_name(cpu, sizeof cpu))
        return -1;
    snprintf(method, sizeof method,
             "lower decile of %zu repetitions, thread CPU time, nettle %d.%d and GMP %s",
             c->options->repetitions, nettle_version_major(), nettle_version_minor(), gmp_version);
    int error = xmlTextWriterStartElement(writer, BAD_CAST "source") < 0;
    error |= put(writer, "cpu", cpu);
    error |= put(writer, "date", date);
    error |= put(writer, "method", method);
    error |= put_spread(writer, spread);
    error |= xmlTextWriterEndElement(writer) < 0;
    return error;
}

static int write_price(xmlTextWriterPtr writer, const struct price *price)
{
    char fixed[TIME_TEXT], per_byte[TIME_TEXT];
    format_time(fixed, price->fixed_ns);
    format_time(per_byte, price->per_byte_ns);
    int error = xmlTextWriterStartElement(writer, BAD_CAST "price") < 0;
    error |= put(writer, "operation", p2_operation_name(price->op));
    error |= put(writer, "algorithm", p2_operation_algorithm(price->op, price->algorithm));
    error |= put(writer, "fixed", fixed);
    if (price->has_length)
        error |= put(writer, "per-byte", per_byte);
    error |= put_spread(writer, price->spread);
    error |= xmlTextWriterEndElement(writer) < 0;
    return error;
}

static int write_profile(xmlTextWriterPtr writer, const struct calibration *c)
{
    struct price price;
    int error = xmlTextWriterSetIndent(writer, 1) < 0;
    error |= xmlTextWriterSetIndentString(writer, BAD_CAST "  ") < 0;
    error |= xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) < 0;
    error |= xmlTextWriterStartElement(writer, BAD_CAST "cpu-profile") < 0;
    error |= put(writer, "xmlns", "urn:phase2sim:scenario:1");
    error |= put(writer, "name", c->options->name);
    error |= xmlTextWriterWriteComment(writer, BAD_CAST explanation) < 0;
    error |= write_source(writer, c);
    for (size_t i = 0; i < c->num_series;) {
        i += calibrate_price_of(&price, &c->series[i]);
        error |= write_price(writer, &price);
    }
    error |= xmlTextWriterEndDocument(writer) < 0;
    return error;
}

/* Composed in memory first, so that a failure leaves nothing half-written. */
int calibrate_write(FILE *out, const struct calibration *c)
{
    int error = -1;
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (writer)
        error = write_profile(writer, c);
    xmlFreeTextWriter(writer);
    if (!error) {
        size_t len = (size_t)xmlBufferLength(buffer);
        error = fwrite(xmlBufferContent(buffer), 1, len, out) != len || fflush(out) != 0;
    }
    xmlBufferFree(buffer);
    return error ? -1 : 0;
}
