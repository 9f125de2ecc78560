#include "proposal.h"

#include <stdio.h>
#include <string.h>

/* Junos's predefined IPsec proposals: {nopfs, g2} x esp x {3des, aes128} x {sha}. DES and MD5 are not built
 * in yet. */
static const struct p2_proposal predefined[] = {
    {"nopfs-esp-3des-sha", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96},
    {"nopfs-esp-aes128-sha", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96},
    {"g2-esp-3des-sha", P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96},
    {"g2-esp-aes128-sha", P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96},
};

const char *p2_proposal_predefined_name(size_t i)
{
    return i < sizeof(predefined) / sizeof(predefined[0]) ? predefined[i].name : NULL;
}

bool p2_proposal_predefined(struct p2_proposal *proposal, const char *name)
{
    for (size_t i = 0; i < sizeof(predefined) / sizeof(predefined[0]); i++) {
        if (strcmp(predefined[i].name, name) == 0) {
            *proposal = predefined[i];
            return true;
        }
    }
    return false;
}

void p2_proposal_format(const struct p2_proposal *proposal, char text[P2_PROPOSAL_TEXT])
{
    snprintf(text, P2_PROPOSAL_TEXT, "esp %s %s", p2_cipher_info(proposal->cipher)->name,
             p2_auth_info(proposal->auth)->name);
}
