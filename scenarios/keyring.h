/* The keyring of a run: every key that was agreed on, so that its captures can be opened.
 *
 * It writes keys.xml (for `phase2sim explain`) and what Wireshark needs to show everything decrypted when its
 * configuration directory is the capture's folder: ikev1_decryption_table, esp_sa and preferences. */
#ifndef P2_KEYRING_H
#define P2_KEYRING_H

#include "gateway.h"
#include "map.h"

struct keyring_quick { /* a Quick Mode with PFS */
    uint32_t message_id;
    size_t secret_len;
    uint8_t secret[P2_DH_MAX_LEN];
    struct keyring_quick *next;
};

struct keyring_isakmp {
    struct p2_isakmp_info info;
    struct keyring_quick *first, *last;
};

struct keyring {
    struct keyring_isakmp *isakmp;
    size_t num_isakmp;
    struct p2_sa_info *sas; /* inbound ones: each SA once, as its receiver sees it */
    size_t num_sas;
    struct p2_map known; /* ISAKMP SAs by initiator's cookie */
    struct p2_map known_quick;
    bool has_nats; /* set by the caller: somewhere outer addresses change, also where no SA knows of it */
    bool out_of_memory;
};

void keyring_cleanup(struct keyring *keyring);
/* To be called with every action of every gateway. */
void keyring_observe(struct keyring *keyring, const struct p2_action *action);
/* Writes the four files into the directory. 0, or -1 with errno and the file's name in *failed. */
int keyring_write(const struct keyring *keyring, const char *directory, const char **failed);

#endif
