#include "link.h"
#include "cursor.h"

#define MAX_VLAN_TAGS  4
#define ETHERNET_LEN   14
#define SLL_LEN        16
#define SLL2_LEN       20
#define PPPOE_LEN      6
#define LLC_SNAP_LEN   8
#define MAX_802_3_SIZE 1500 /* up to here the field that is a type in Ethernet II is a length */

const char link_type_names[] = "Ethernet (1), PPP (9), raw IP (101), Linux cooked (113 and 276), IPv4 (228), "
                               "IPv6 (229), BSD loopback (0 and 108)";

int link_type_of_dlt(int dlt)
{
    switch (dlt) {
    case 12: /* DLT_RAW, but on OpenBSD */
    case 14: /* DLT_RAW there */
        return LINK_RAW;
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_PPP:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_LINUX_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_LINUX_SLL2:
        return dlt;
    default:
        return -1;
    }
}

/* RFC 1661 section 2: the protocol field. Its numbers are odd in the last byte only, so an odd first byte
 * means that a leading zero was left out (section 6.5). */
static bool ppp_protocol(struct link_payload *payload, struct p2_bytes frame, size_t at)
{
    if (at < frame.len && frame.data[at] == 0)
        at++;
    if (at >= frame.len || (frame.data[at] != 0x21 && frame.data[at] != 0x57))
        return false;
    *payload = (struct link_payload){at + 1, frame.data[at] == 0x21 ? 4 : 6};
    return true;
}

/* RFC 1662 section 3.1 puts FF 03 in front, which a link may have agreed to leave out. */
static bool ppp(struct link_payload *payload, struct p2_bytes frame)
{
    bool with_header = frame.len >= 2 && frame.data[0] == 0xff && frame.data[1] == 0x03;
    return ppp_protocol(payload, frame, with_header ? 2 : 0);
}

/* RFC 2516 section 4: version 1, type 1; code 0 in the session stage. */
static bool pppoe(struct link_payload *payload, struct p2_bytes frame, size_t at)
{
    if (frame.len < at + PPPOE_LEN || frame.data[at] != 0x11 || frame.data[at + 1] != 0)
        return false;
    return ppp_protocol(payload, frame, at + PPPOE_LEN);
}

static bool is_vlan(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100; /* 802.1Q, 802.1ad, and before that one */
}

/* What an EtherType announces at `at`. */
static bool ether_type(struct link_payload *payload, struct p2_bytes frame, uint16_t type, size_t at)
{
    for (int tags = 0; is_vlan(type); tags++, at += 4) {
        if (tags == MAX_VLAN_TAGS || frame.len < at + 4)
            return false;
        type = p2_get_u16(frame.data + at + 2);
    }
    if (type == 0x8864)
        return pppoe(payload, frame, at);
    if (type != 0x0800 && type != 0x86dd)
        return false;
    *payload = (struct link_payload){at, type == 0x0800 ? 4 : 6};
    return true;
}

/* RFC 1042: LLC AA AA 03, and an organisation of 0 means that an EtherType follows. */
static bool llc_snap(struct link_payload *payload, struct p2_bytes frame)
{
    if (frame.len < ETHERNET_LEN + LLC_SNAP_LEN)
        return false;
    const uint8_t *llc = frame.data + ETHERNET_LEN;
    if (p2_get_u32(llc) != 0xaaaa0300 || p2_get_u16(llc + 4) != 0)
        return false;
    return ether_type(payload, frame, p2_get_u16(llc + 6), ETHERNET_LEN + LLC_SNAP_LEN);
}

static bool ethernet(struct link_payload *payload, struct p2_bytes frame)
{
    if (frame.len < ETHERNET_LEN)
        return false;
    uint16_t type = p2_get_u16(frame.data + 12);
    return type <= MAX_802_3_SIZE ? llc_snap(payload, frame) : ether_type(payload, frame, type, ETHERNET_LEN);
}

static bool cooked(struct link_payload *payload, struct p2_bytes frame, size_t type_at, size_t header_len)
{
    return frame.len >= header_len &&
           ether_type(payload, frame, p2_get_u16(frame.data + type_at), header_len);
}

/* The address family of the machine that captured: AF_INET is 2 everywhere, AF_INET6 differs between
 * systems. */
static bool loopback(struct link_payload *payload, struct p2_bytes frame, bool any_byte_order)
{
    if (frame.len < 4)
        return false;
    uint32_t family = p2_get_u32(frame.data);
    if (any_byte_order && (family & 0xffff) == 0)
        family = family >> 24 | (family >> 8 & 0xff00);
    switch (family) {
    case 2:
        *payload = (struct link_payload){4, 4};
        return true;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        *payload = (struct link_payload){4, 6};
        return true;
    default:
        return false;
    }
}

bool link_take_off(struct link_payload *payload, int type, struct p2_bytes frame)
{
    switch (type) {
    case LINK_ETHERNET:
        return ethernet(payload, frame);
    case LINK_PPP:
        return ppp(payload, frame);
    case LINK_LINUX_SLL:
        return cooked(payload, frame, 14, SLL_LEN);
    case LINK_LINUX_SLL2:
        return cooked(payload, frame, 0, SLL2_LEN);
    case LINK_NULL:
    case LINK_LOOP:
        return loopback(payload, frame, type == LINK_NULL);
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        *payload = (struct link_payload){0, type == LINK_RAW ? 0 : type == LINK_IPV4 ? 4 : 6};
        return true;
    default:
        return false;
    }
}
