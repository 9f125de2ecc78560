/* What the parts of the fuzzer of `explain` share. */
#ifndef P2_TESTS_FUZZ_H
#define P2_TESTS_FUZZ_H

#include "explanation.h"

/* libFuzzer's own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* Listens to a capture; NULL: it is none. To be freed. */
struct explanation *fuzz_listen(const struct known_keys *known, const uint8_t *data, size_t size);
/* Ends the program with a finding. */
_Noreturn void fuzz_found(const char *what);

/* invariants.c: what holds of every explanation. */
void fuzz_check(const struct explanation *e);

/* reseal.c: a packet of the capture with its plaintext mutated, and authentic again. The new size; 0: no
 * packet could be read. */
size_t fuzz_reseal(const struct known_keys *known, uint8_t *data, size_t size, size_t max_size,
                   unsigned seed);

/* ISAKMP SA's keys, made from those given. */
void fuzz_isakmp_keys(struct p2_isakmp_keys *keys, const struct known_isakmp *known);

#endif
