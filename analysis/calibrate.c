#include "calibrate.h"

#include "cipher.h"
#include "dh.h"
#include "hash.h"
#include "work.h"

#include <gmp.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <libxml/xmlwriter.h>
#include <nettle/version.h>

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Multiples of every block length, from the smallest packets to the largest that fit an Ethernet frame. */
static const size_t lengths[] = {64, 128, 256, 512, 1024, 1408};

#define NUM_LENGTHS (sizeof lengths / sizeof lengths[0])
#define MAX_LENGTH  1408

/* Reading the thread's clock is a system call; a batch this long makes its price disappear. */
#define BATCH_NS 50000.0

/* Everything one measured operation needs, prepared before the clock starts. */
struct subject {
    enum p2_operation op;
    unsigned algorithm;
    size_t bytes;
    uint64_t random_state;
    union {
        struct p2_hmac hmac;
        struct p2_cipher_key cipher;
        struct {
            uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
        } dh;
    } key;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    uint8_t aad[8];
    uint8_t data[MAX_LENGTH], opened[MAX_LENGTH];
    uint8_t out[P2_DH_MAX_LEN];
};

/* One operation at one length. */
struct series {
    struct subject subject;
    size_t batch;    /* calls between two readings of the clock */
    double *samples; /* nanoseconds a call, one for each repetition */
    double price;    /* nanoseconds a call */
    double spread;   /* from the 5th to the 15th percentile, relative to the price */
};

struct price {
    enum p2_operation op;
    unsigned algorithm;
    bool has_length;
    double fixed_ns, per_byte_ns;
    double spread; /* the largest of its series */
};

struct calibration {
    size_t num_series, repetitions;
    struct series *series;
};

static bool has_length(enum p2_operation op)
{
    return op != P2_OP_DH_GENERATE && op != P2_OP_DH_DERIVE;
}

/* Knuth's MMIX generator: private values only have to look random, and to be the same in every run. */
static void fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    uint64_t *state = ctx;
    (void)use;
    for (size_t i = 0; i < len; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(*state >> 56);
    }
}

/* The public value goes to `public_key`, the private one stays. */
static int generate(struct subject *s, uint8_t *public_key)
{
    struct p2_random random = {fill, &s->random_state};
    return p2_dh_generate((enum p2_group)s->algorithm, random, s->key.dh.private_key, public_key);
}

static int run_dh_generate(struct subject *s)
{
    return generate(s, s->out);
}

static int run_dh_derive(struct subject *s)
{
    size_t len = p2_group_info((enum p2_group)s->algorithm)->public_len;
    return p2_dh_derive((enum p2_group)s->algorithm, s->key.dh.private_key, s->key.dh.public_key, len,
                        s->out);
}

static int run_hmac(struct subject *s)
{
    struct p2_bytes part = {s->data, s->bytes};
    p2_hmac_compute(&s->key.hmac, &part, 1, s->out, p2_hash_info((enum p2_hash)s->algorithm)->len);
    return P2_OK;
}

static int run_hash(struct subject *s)
{
    struct p2_bytes part = {s->data, s->bytes};
    p2_hash_digest((enum p2_hash)s->algorithm, &part, 1, s->out);
    return P2_OK;
}

/* A combined mode's price is that of encryption and ICV together, over ESP's 8 bytes of additional data. To
 * open it, it is sealed once, and stays as it is. */
static bool is_combined(const struct subject *s)
{
    return p2_cipher_info((enum p2_cipher)s->algorithm)->icv_len > 0;
}

static int run_encrypt(struct subject *s)
{
    struct p2_bytes aad = {s->aad, sizeof s->aad};
    if (is_combined(s))
        p2_cipher_seal(&s->key.cipher, s->iv, aad, s->data, s->data, s->bytes, s->out);
    else
        p2_cipher_encrypt(&s->key.cipher, s->iv, s->data, s->data, s->bytes);
    return P2_OK;
}

static int run_decrypt(struct subject *s)
{
    struct p2_bytes aad = {s->aad, sizeof s->aad};
    if (is_combined(s))
        return p2_cipher_open(&s->key.cipher, s->iv, aad, s->opened, s->data, s->bytes, s->out)
                   ? P2_OK
                   : P2_ERR_CRYPTO;
    p2_cipher_decrypt(&s->key.cipher, s->iv, s->data, s->data, s->bytes);
    return P2_OK;
}

static int (*const run[P2_NUM_OPERATIONS])(struct subject *s) = {
    [P2_OP_DH_GENERATE] = run_dh_generate,
    [P2_OP_DH_DERIVE] = run_dh_derive,
    [P2_OP_HMAC] = run_hmac,
    [P2_OP_HASH] = run_hash,
    [P2_OP_ENCRYPT] = run_encrypt,
    [P2_OP_DECRYPT] = run_decrypt,
};

static int subject_init(struct subject *s, enum p2_operation op, unsigned algorithm, size_t bytes)
{
    uint8_t key[P2_CIPHER_MAX_KEY];
    memset(s, 0, sizeof *s);
    s->op = op;
    s->algorithm = algorithm;
    s->bytes = bytes;
    s->random_state = 1;
    fill(&s->random_state, P2_RANDOM_NONCE, key, sizeof key);
    fill(&s->random_state, P2_RANDOM_NONCE, s->data, sizeof s->data);
    if (op == P2_OP_HMAC)
        p2_hmac_init(&s->key.hmac, (enum p2_hash)algorithm, key, p2_hash_info((enum p2_hash)algorithm)->len);
    if (op == P2_OP_ENCRYPT || op == P2_OP_DECRYPT)
        p2_cipher_init(&s->key.cipher, (enum p2_cipher)algorithm, key);
    if (op == P2_OP_DECRYPT && is_combined(s))
        return run_encrypt(s);
    if (op != P2_OP_DH_DERIVE)
        return P2_OK;
    /* Two draws: the peer's public value, then a private one of our own. */
    int error = generate(s, s->key.dh.public_key);
    return error ? error : generate(s, s->out);
}

/* Nanoseconds for a batch; negative if the crypto or the clock failed. */
static double time_batch(struct series *series, size_t batch)
{
    struct timespec start, end;
    int error = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (size_t i = 0; i < batch; i++)
        error |= run[series->subject.op](&series->subject);
    error |= clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return error ? -1.0 : (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
}

static int series_init(struct series *series, enum p2_operation op, unsigned algorithm, size_t bytes,
                       size_t repetitions)
{
    series->samples = calloc(repetitions, sizeof *series->samples);
    if (!series->samples || subject_init(&series->subject, op, algorithm, bytes) != P2_OK)
        return -1;
    series->batch = 1;
    double spent = time_batch(series, 1);
    while (spent >= 0 && spent < BATCH_NS) {
        series->batch *= 2;
        spent = time_batch(series, series->batch);
    }
    return spent < 0 ? -1 : 0;
}

static void calibration_cleanup(struct calibration *c)
{
    for (size_t i = 0; i < c->num_series; i++)
        free(c->series[i].samples);
    free(c->series);
}

static int add_series(struct calibration *c, enum p2_operation op, unsigned algorithm, size_t bytes)
{
    struct series *grown = realloc(c->series, (c->num_series + 1) * sizeof *grown);
    if (!grown)
        return -1;
    c->series = grown;
    struct series *series = &grown[c->num_series++];
    memset(series, 0, sizeof *series);
    return series_init(series, op, algorithm, bytes, c->repetitions);
}

static int plan(struct calibration *c)
{
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            size_t num = has_length((enum p2_operation)op) ? NUM_LENGTHS : 1;
            for (size_t i = 0; p2_operation_algorithm((enum p2_operation)op, a) && i < num; i++) {
                size_t bytes = has_length((enum p2_operation)op) ? lengths[i] : 0;
                if (add_series(c, (enum p2_operation)op, a, bytes) != 0)
                    return -1;
            }
        }
    }
    return 0;
}

/* What disturbs a measurement (a neighbour on the same core, a slower clock) only ever makes it longer: the
 * price is the lower decile, the machine left alone, and the spread says how sharply the quick ones agree. */
static void judge(struct series *series, size_t repetitions)
{
    gsl_sort(series->samples, 1, repetitions);
    double low = gsl_stats_quantile_from_sorted_data(series->samples, 1, repetitions, 0.05);
    double high = gsl_stats_quantile_from_sorted_data(series->samples, 1, repetitions, 0.15);
    series->price = gsl_stats_quantile_from_sorted_data(series->samples, 1, repetitions, 0.1);
    series->spread = (high - low) / series->price;
}

/* Each repetition visits every series once, so that a slow second of the machine touches all alike instead of
 * spoiling one of them. */
static int measure(struct calibration *c)
{
    for (size_t r = 0; r < c->repetitions; r++) {
        for (size_t i = 0; i < c->num_series; i++) {
            struct series *series = &c->series[i];
            /* What takes longer than a whole batch needs no warm caches. */
            double warm = series->batch > 1 ? time_batch(series, 1) : 0;
            double spent = time_batch(series, series->batch);
            if (warm < 0 || spent < 0)
                return -1;
            series->samples[r] = spent / (double)series->batch;
        }
    }
    for (size_t i = 0; i < c->num_series; i++)
        judge(&c->series[i], c->repetitions);
    return 0;
}

/* A line through the prices at all lengths, weighted so that the relative error counts: short packets matter
 * as much as long ones. A line that starts below zero is drawn again from zero. */
static void fit(struct price *price, const struct series *series)
{
    double x[NUM_LENGTHS], y[NUM_LENGTHS], w[NUM_LENGTHS], cov00, cov01, cov11, chisq;
    for (size_t i = 0; i < NUM_LENGTHS; i++) {
        x[i] = (double)series[i].subject.bytes;
        y[i] = series[i].price;
        w[i] = 1 / (y[i] * y[i]);
    }
    gsl_fit_wlinear(x, 1, w, 1, y, 1, NUM_LENGTHS, &price->fixed_ns, &price->per_byte_ns, &cov00, &cov01,
                    &cov11, &chisq);
    if (price->fixed_ns < 0) {
        price->fixed_ns = 0;
        gsl_fit_wmul(x, 1, w, 1, y, 1, NUM_LENGTHS, &price->per_byte_ns, &cov11, &chisq);
    }
    if (price->per_byte_ns < 0)
        price->per_byte_ns = 0;
}

/* The price of the operation that starts at series[0]; returns how many series it took. */
static size_t price_of(struct price *price, const struct series *series)
{
    *price = (struct price){.op = series->subject.op,
                            .algorithm = series->subject.algorithm,
                            .has_length = has_length(series->subject.op),
                            .fixed_ns = series->price};
    size_t num = price->has_length ? NUM_LENGTHS : 1;
    for (size_t i = 0; i < num; i++)
        price->spread = fmax(price->spread, series[i].spread);
    if (price->has_length)
        fit(price, series);
    return num;
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

/* The value of the first "key : value" line of /proc/cpuinfo; "?" if there is none. */
static void cpuinfo_value(char *value, size_t capacity, const char *key)
{
    char line[512];
    size_t key_len = strlen(key);
    snprintf(value, capacity, "?");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return;
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
}

/* Virtual machines often have no better model name than "Intel(R) Xeon(R) Processor", so the numbers go with
 * it. */
static void cpu_name(char *name, size_t capacity)
{
    char model_name[80], family[8], model[8], stepping[8];
    cpuinfo_value(model_name, sizeof model_name, "model name");
    cpuinfo_value(family, sizeof family, "cpu family");
    cpuinfo_value(model, sizeof model, "model");
    cpuinfo_value(stepping, sizeof stepping, "stepping");
    snprintf(name, capacity, "%s (family %s, model %s, stepping %s)", model_name, family, model, stepping);
}

static int put(xmlTextWriterPtr writer, const char *name, const char *value)
{
    return xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST value) < 0 ? -1 : 0;
}

static int put_spread(xmlTextWriterPtr writer, double spread)
{
    char text[16];
    int per_mille = (int)(spread * 1000 + 0.5);
    snprintf(text, sizeof text, "%d.%d%%", per_mille / 10, per_mille % 10);
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
    cpu_name(cpu, sizeof cpu);
    snprintf(method, sizeof method,
             "lower decile of %zu repetitions, thread CPU time, nettle %d.%d and GMP %s", c->repetitions,
             nettle_version_major(), nettle_version_minor(), gmp_version);
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

static int write_profile(xmlTextWriterPtr writer, const struct calibration *c, const char *name)
{
    struct price price;
    int error = xmlTextWriterSetIndent(writer, 1) < 0;
    error |= xmlTextWriterSetIndentString(writer, BAD_CAST "  ") < 0;
    error |= xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL) < 0;
    error |= xmlTextWriterStartElement(writer, BAD_CAST "cpu-profile") < 0;
    error |= put(writer, "xmlns", "urn:phase2sim:scenario:1");
    error |= put(writer, "name", name);
    error |= write_source(writer, c);
    for (size_t i = 0; i < c->num_series;) {
        i += price_of(&price, &c->series[i]);
        error |= write_price(writer, &price);
    }
    error |= xmlTextWriterEndDocument(writer) < 0;
    return error;
}

/* Composed in memory first, so that a failure leaves nothing half-written. */
static int write_out(FILE *out, const struct calibration *c, const char *name)
{
    int error = -1;
    xmlBufferPtr buffer = xmlBufferCreate();
    xmlTextWriterPtr writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (writer)
        error = write_profile(writer, c, name);
    xmlFreeTextWriter(writer);
    if (!error) {
        size_t len = (size_t)xmlBufferLength(buffer);
        error = fwrite(xmlBufferContent(buffer), 1, len, out) != len || fflush(out) != 0;
    }
    xmlBufferFree(buffer);
    return error ? -1 : 0;
}

int calibrate_measure(FILE *out, FILE *messages, const char *name, size_t repetitions)
{
    struct calibration c = {.repetitions = repetitions};
    const char *problem = NULL;
    assert(repetitions >= 4);
    if (plan(&c) != 0)
        problem = "cannot prepare the measurement (memory, the crypto library or the thread's CPU clock)";
    else if (measure(&c) != 0)
        problem = "an operation failed while it was measured";
    else if (write_out(out, &c, name) != 0)
        problem = "cannot write the profile";
    if (problem)
        fprintf(messages, "calibrate: %s\n", problem);
    calibration_cleanup(&c);
    return problem ? -1 : 0;
}

int calibrate_run(FILE *out, FILE *messages)
{
    return calibrate_measure(out, messages, "measured", CALIBRATE_REPETITIONS);
}
