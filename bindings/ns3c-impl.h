/* What the files behind ns3c.h share: the handles, and who frees them. */
#ifndef P2_NS3C_IMPL_H
#define P2_NS3C_IMPL_H

#include "ns3c.h"

#include "ns3c-ip.h"
#include "ns3c-link.h"

#include "ns3/node.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

struct ns3c_node {
    std::string name;
    ns3::Ptr<ns3::Node> node;
    ns3::IpStacks stacks;
    std::vector<ns3::Ptr<ns3::LinkNetDevice>> links;
    std::vector<ns3::Ptr<ns3::TunnelInterface>> tunnels; /* few: mostly one */
    std::vector<ns3c_capture *> captures;                /* told of links that come later */
};

namespace ns3
{

/* Keeps a handle until ns3c_destroy. */
void Keep(std::shared_ptr<void> handle);
/* Three bytes a draw: a draw has a little less than 32 bits. */
void FillRandom(Ptr<UniformRandomVariable> uniform, uint8_t *out, size_t len);
/* Ends ns3c_run after the present event, with failure. False: it is not ns3c_run that runs the simulation. */
bool GiveUp();
/* stderr, with our prefix. */
std::ostream &Complain();

/* A link was added to a node that is being captured. */
void AddToCapture(ns3c_capture *capture, Ptr<LinkNetDevice> device);

} // namespace ns3
#endif
