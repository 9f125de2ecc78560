#include "message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *chain(struct corpus_chains *chains, const struct p2_isakmp_keys *keys, uint32_t message_id)
{
    for (size_t i = 0; i < chains->num; i++) {
        if (chains->list[i].message_id == message_id)
            return chains->list[i].iv;
    }
    assert(chains->num < CORPUS_MAX_CHAINS);
    chains->list[chains->num].message_id = message_id;
    p2_keymat_phase2_iv(keys, message_id, chains->list[chains->num].iv);
    return chains->list[chains->num++].iv;
}

bool corpus_message_open(struct corpus_message *message, struct corpus_chains *chains,
                         const struct p2_isakmp_keys *keys, struct p2_bytes bytes)
{
    size_t block = p2_cipher_of(keys->cipher)->block_len;
    memset(message, 0, sizeof(*message));
    if (p2_isakmp_parse_header(&message->header, bytes.data, bytes.len) < 0 ||
        message->header.flags != P2_FLAG_ENCRYPTED || bytes.len <= P2_ISAKMP_HEADER_LEN ||
        (bytes.len - P2_ISAKMP_HEADER_LEN) % block != 0)
        return false;
    message->plain_len = bytes.len - P2_ISAKMP_HEADER_LEN;
    message->plain = malloc(message->plain_len);
    if (!message->plain)
        return false;
    p2_cipher_decrypt(&keys->cipher_key, chain(chains, keys, message->header.message_id), message->plain,
                      bytes.data + P2_ISAKMP_HEADER_LEN, message->plain_len);
    return p2_isakmp_parse_payloads(&message->payloads, message->header.next_payload, message->plain,
                                    message->plain_len) == P2_OK;
}

void corpus_message_free(struct corpus_message *message)
{
    free(message->plain);
    message->plain = NULL;
}

void corpus_message_carry(uint8_t *out, struct corpus_chains *chains, const struct p2_isakmp_keys *keys,
                          const struct corpus_message *message, struct p2_bytes captured)
{
    memcpy(out, captured.data, P2_ISAKMP_HEADER_LEN);
    p2_cipher_encrypt(&keys->cipher_key, chain(chains, keys, message->header.message_id),
                      out + P2_ISAKMP_HEADER_LEN, message->plain, message->plain_len);
}
