#include "work.h"

#include "cipher.h"
#include "dh.h"
#include "hash.h"

#include <assert.h>
#include <string.h>

void p2_work_add(struct p2_work *work, enum p2_operation op, unsigned algorithm, size_t times, size_t bytes)
{
    assert(work->num_items < P2_WORK_MAX && algorithm < P2_MAX_ALGORITHMS);
    work->items[work->num_items++] = (struct p2_work_item){.operation = (uint8_t)op,
                                                           .algorithm = (uint8_t)algorithm,
                                                           .times = (uint16_t)times,
                                                           .bytes = (uint32_t)bytes};
}

static const char *const names[P2_NUM_OPERATIONS] = {
    [P2_OP_DH_GENERATE] = "dh-generate",
    [P2_OP_DH_DERIVE] = "dh-derive",
    [P2_OP_HMAC] = "hmac",
    [P2_OP_HASH] = "hash",
    [P2_OP_ENCRYPT] = "encrypt",
    [P2_OP_DECRYPT] = "decrypt",
};

const char *p2_operation_name(enum p2_operation op)
{
    return names[op];
}

enum p2_operation p2_operation_by_name(const char *name)
{
    unsigned op = 0;
    while (op < P2_NUM_OPERATIONS && strcmp(names[op], name) != 0)
        op++;
    return (enum p2_operation)op;
}

const char *p2_operation_algorithm(enum p2_operation op, unsigned algorithm)
{
    switch (op) {
    case P2_OP_DH_GENERATE:
    case P2_OP_DH_DERIVE: {
        const struct p2_group_info *info = p2_group_of((enum p2_group)algorithm);
        return info ? info->name : NULL;
    }
    case P2_OP_HMAC:
    case P2_OP_HASH:
        return algorithm > P2_HASH_NONE && algorithm < P2_NUM_HASHES
                   ? p2_hash_of((enum p2_hash)algorithm)->name
                   : NULL;
    case P2_OP_ENCRYPT:
    case P2_OP_DECRYPT:
        return algorithm > P2_CIPHER_NONE && algorithm < P2_NUM_CIPHERS && algorithm != P2_CIPHER_NULL
                   ? p2_cipher_of((enum p2_cipher)algorithm)->name
                   : NULL;
    default:
        return NULL;
    }
}
