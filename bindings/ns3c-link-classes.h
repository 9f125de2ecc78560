/* What waits at one end of a link whose packets are told apart by their DSCP (RFC 2474): a queue for each
 * class, and strict priority between them (the usual way to serve expedited forwarding, RFC 3246 appendix A).
 *
 * This is what reorders the packets of one IPsec SA that carries several classes, and so makes a replay
 * window drop good ones: RFC 4301 section 4.1. */
#ifndef P2_NS3C_LINK_CLASSES_H
#define P2_NS3C_LINK_CLASSES_H

#include "ns3c.h"

#include "ns3/packet.h"

#include <array>
#include <deque>
#include <vector>

namespace ns3
{

class LinkClasses
{
  public:
    /* Class 0: what no other class names, with priority 0. */
    LinkClasses();

    void SetDefaultQueue(uint32_t packets);
    void Add(const ns3c_link_class &added);
    /* Whether there are any but class 0. */
    bool HaveAny() const;

    std::size_t Classify(Ptr<const Packet> packet) const;
    /* How much longer packets of this class are under way than others. */
    int64_t GetDelay(std::size_t of) const;
    /* When the last packet of this class arrived at the peer, for a class with a delay. */
    int64_t &LastArrival(std::size_t of);

    struct Waiting {
        Ptr<Packet> packet;
        uint16_t protocol;
        std::size_t of;
        uint64_t number; //!< in the order in which they came
    };
    /* False: the queue of this class has no room. */
    bool Push(std::size_t of, Ptr<Packet> packet, uint16_t protocol);
    bool IsEmpty() const;
    /* Highest priority first, then first come, first served. There must be one. */
    Waiting Pop();
    void Clear();

  private:
    struct Class {
        uint32_t priority;
        uint32_t room;
        int64_t delay;
        int64_t lastArrival;
        std::deque<Waiting> waiting;
    };

    std::vector<Class> m_classes;
    std::array<uint8_t, 64> m_classOf; //!< by DSCP
    uint64_t m_came{0};
};

} // namespace ns3
#endif
