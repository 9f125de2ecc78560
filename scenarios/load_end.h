/* One <end> of a <tunnel>, before its counted gateways are expanded. */
#ifndef P2_SCENARIO_LOAD_END_H
#define P2_SCENARIO_LOAD_END_H

#include "load.h"
#include "load_policy.h"

struct load_end {
    const xmlNode *element;
    struct load_members members;
    struct scenario_end template; /* all but gateway and proxy IDs */
    struct load_pfs pfs;
    bool has_proxy_id;
    struct p2_selector local, remote; /* the first member's */
};

/* Reads the end's own <proxy-id>, if there is one. False: reported. */
bool load_proxy_id(struct problems *problems, struct load_end *end);
/* The proxy IDs of both ends of member i: written, mirrored, or what the gateways protect. */
bool load_proxy_ids(struct loader *l, const struct load_end ends[2], size_t i,
                    struct scenario_tunnel *tunnel);

/* What transport mode means for the basis of an end, after its policy was read. False: reported. */
bool load_transport_basis(struct problems *problems, const xmlNode *tunnel, struct load_end *end);
/* The basis of the ends of a tunnel whose proxy IDs are complete: no route may lead IKE into it. False:
 * reported. */
bool load_host_basis(struct problems *problems, const xmlNode *tunnel, const struct load_end ends[2],
                     const struct scenario *scenario, struct scenario_tunnel *out);
/* What transport mode means for the proxy IDs of a tunnel, which are complete. False: reported. */
bool load_transport_tunnel(struct loader *l, struct scenario_tunnel *tunnel);

#endif
