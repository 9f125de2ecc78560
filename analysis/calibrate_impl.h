/* What calibrate.c and calibrate_write.c share. */
#ifndef P2_CALIBRATE_IMPL_H
#define P2_CALIBRATE_IMPL_H

#include "calibrate.h"

#include "cipher.h"
#include "dh.h"
#include "hash.h"
#include "work.h"

/* Multiples of every block length, from the smallest packets to the largest that fit an Ethernet frame. */
#define CALIBRATE_LENGTHS                                                                                    \
    {                                                                                                        \
        64, 128, 256, 512, 1024, 1408                                                                        \
    }

#define NUM_LENGTHS 6
#define MAX_LENGTH  1408

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
    double spread;   /* of the price, relative to it */
};

struct price {
    enum p2_operation op;
    unsigned algorithm;
    bool has_length;
    double fixed_ns, per_byte_ns;
    double spread; /* the largest of its series */
};

struct calibration {
    const struct calibrate_options *options;
    size_t num_series;
    struct series *series;
    double *samples; /* of all series */
};

bool calibrate_has_length(enum p2_operation op);
/* The price of the operation that starts at series[0]; returns how many series it took. */
size_t calibrate_price_of(struct price *price, const struct series *series);
/* Writes the profile. 0 or -1. */
int calibrate_write(FILE *out, const struct calibration *c);

#define CALIBRATE_SPREAD_TEXT 16
/* "3.2%" */
void calibrate_format_spread(char text[CALIBRATE_SPREAD_TEXT], double spread);

#endif
