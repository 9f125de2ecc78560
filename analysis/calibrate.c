#include "calibrate_impl.h"

#include <gsl/gsl_fit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t lengths[NUM_LENGTHS] = CALIBRATE_LENGTHS;

/* Reading the thread's clock is a system call; a batch this long makes its price disappear. */
#define BATCH_NS 50000.0

bool calibrate_has_length(enum p2_operation op)
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
    size_t len = p2_group_of((enum p2_group)s->algorithm)->public_len;
    return p2_dh_derive((enum p2_group)s->algorithm, s->key.dh.private_key, s->key.dh.public_key, len,
                        s->out);
}

static int run_hmac(struct subject *s)
{
    struct p2_bytes part = {s->data, s->bytes};
    p2_hmac_compute(&s->key.hmac, &part, 1, s->out, p2_hash_of((enum p2_hash)s->algorithm)->len);
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
    return p2_cipher_of((enum p2_cipher)s->algorithm)->icv_len > 0;
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
        p2_hmac_init(&s->key.hmac, (enum p2_hash)algorithm, key, p2_hash_of((enum p2_hash)algorithm)->len);
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
static double time_batch(const struct calibration *c, struct series *series, size_t batch)
{
    struct timespec start, end;
    int error = c->options->clock(&start);
    for (size_t i = 0; i < batch; i++)
        error |= run[series->subject.op](&series->subject);
    error |= c->options->clock(&end);
    return error ? -1.0 : (double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec);
}

/* Finds out how many calls make a batch. */
static int prepare(const struct calibration *c, struct series *series, enum p2_operation op,
                   unsigned algorithm, size_t bytes)
{
    if (subject_init(&series->subject, op, algorithm, bytes) != P2_OK)
        return -1;
    series->batch = 1;
    double spent = time_batch(c, series, 1);
    while (spent >= 0 && spent < BATCH_NS) {
        series->batch *= 2;
        spent = time_batch(c, series, series->batch);
    }
    return spent < 0 ? -1 : 0;
}

static void calibration_cleanup(struct calibration *c)
{
    free(c->series);
    free(c->samples);
}

static int add_series(struct calibration *c, enum p2_operation op, unsigned algorithm, size_t bytes)
{
    struct series *series = &c->series[c->num_series];
    series->samples = c->samples + c->num_series * c->options->repetitions;
    c->num_series++;
    return prepare(c, series, op, algorithm, bytes);
}

static int plan(struct calibration *c)
{
    enum { MAX_SERIES = P2_NUM_OPERATIONS * P2_MAX_ALGORITHMS * NUM_LENGTHS };
    c->series = calloc(MAX_SERIES, sizeof *c->series);
    c->samples = calloc(MAX_SERIES * c->options->repetitions, sizeof *c->samples);
    if (!c->series || !c->samples)
        return -1;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            size_t num = calibrate_has_length((enum p2_operation)op) ? NUM_LENGTHS : 1;
            for (size_t i = 0; p2_operation_algorithm((enum p2_operation)op, a) && i < num; i++) {
                size_t bytes = calibrate_has_length((enum p2_operation)op) ? lengths[i] : 0;
                if (add_series(c, (enum p2_operation)op, a, bytes) != 0)
                    return -1;
            }
        }
    }
    return 0;
}

/* What disturbs a measurement (a neighbour on the same core, a slower clock) only ever makes it longer: the
 * price is the lower decile, the machine left alone, and the spread says how sharply the quick ones agree. */
static double lower_decile(double *samples, size_t num)
{
    gsl_sort(samples, 1, num);
    return gsl_stats_quantile_from_sorted_data(samples, 1, num, 0.1);
}

static void judge(struct series *series, size_t repetitions)
{
    size_t half = repetitions / 2;
    double early = lower_decile(series->samples, half);
    double late = lower_decile(series->samples + half, repetitions - half);
    series->price = lower_decile(series->samples, repetitions);
    double low = gsl_stats_quantile_from_sorted_data(series->samples, 1, repetitions, 0.05);
    double high = gsl_stats_quantile_from_sorted_data(series->samples, 1, repetitions, 0.15);
    series->spread = fmax(high - low, fabs(late - early)) / series->price;
}

/* Each repetition visits every series once, so that a slow second of the machine touches all alike instead of
 * spoiling one of them. */
static int measure(struct calibration *c)
{
    for (size_t r = 0; r < c->options->repetitions; r++) {
        for (size_t i = 0; i < c->num_series; i++) {
            struct series *series = &c->series[i];
            /* What takes longer than a whole batch needs no warm caches. */
            double warm = series->batch > 1 ? time_batch(c, series, 1) : 0;
            double spent = time_batch(c, series, series->batch);
            if (warm < 0 || spent < 0)
                return -1;
            series->samples[r] = spent / (double)series->batch;
        }
    }
    for (size_t i = 0; i < c->num_series; i++)
        judge(&c->series[i], c->options->repetitions);
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

size_t calibrate_price_of(struct price *price, const struct series *series)
{
    *price = (struct price){.op = series->subject.op,
                            .algorithm = series->subject.algorithm,
                            .has_length = calibrate_has_length(series->subject.op),
                            .fixed_ns = series->price};
    size_t num = price->has_length ? NUM_LENGTHS : 1;
    for (size_t i = 0; i < num; i++)
        price->spread = fmax(price->spread, series[i].spread);
    if (price->has_length)
        fit(price, series);
    return num;
}

/* Figures that the machine's neighbours had a part in are refused. */
static bool is_noisy(const struct calibration *c, FILE *messages)
{
    const struct series *worst = &c->series[0];
    size_t num = 0;
    for (size_t i = 0; i < c->num_series; i++) {
        num += c->series[i].spread > c->options->max_spread;
        if (c->series[i].spread > worst->spread)
            worst = &c->series[i];
    }
    if (num == 0)
        return false;
    char spread[CALIBRATE_SPREAD_TEXT], allowed[CALIBRATE_SPREAD_TEXT], over[48] = "";
    const struct subject *s = &worst->subject;
    calibrate_format_spread(spread, worst->spread);
    calibrate_format_spread(allowed, c->options->max_spread);
    if (calibrate_has_length(s->op))
        snprintf(over, sizeof over, " over %zu bytes", s->bytes);
    fprintf(messages,
            "calibrate: this machine is too noisy to trust: %s %s%s spreads by %s, where %s is allowed, and "
            "so do "
            "%zu of %zu measurements; nothing was written. End what else is running, and try again\n",
            p2_operation_name(s->op), p2_operation_algorithm(s->op, s->algorithm), over, spread, allowed, num,
            c->num_series);
    return true;
}

static int thread_clock(struct timespec *now)
{
    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, now);
}

int calibrate_measure(FILE *out, FILE *messages, const struct calibrate_options *chosen)
{
    struct calibrate_options options = *chosen;
    struct calibration c = {.options = &options};
    const char *problem = NULL;
    bool noisy = false;
    assert(options.repetitions >= 8);
    if (!options.clock)
        options.clock = thread_clock;
    if (plan(&c) != 0)
        problem = "cannot prepare the measurement (memory, the crypto library or the thread's CPU clock)";
    else if (measure(&c) != 0)
        problem = "an operation failed while it was measured";
    else
        noisy = is_noisy(&c, messages);
    if (!problem && !noisy && calibrate_write(out, &c) != 0)
        problem = "cannot write the profile";
    if (problem)
        fprintf(messages, "calibrate: %s\n", problem);
    calibration_cleanup(&c);
    return problem || noisy ? -1 : 0;
}

int calibrate_run(FILE *out, FILE *messages)
{
    const struct calibrate_options options = {"measured", CALIBRATE_REPETITIONS, CALIBRATE_MAX_SPREAD, NULL};
    return calibrate_measure(out, messages, &options);
}
