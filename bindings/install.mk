# make install [DESTDIR=stage] [PREFIX=/usr/local]: the program, and the library for programs of others. What is copied
# where stands here once; `make uninstall` removes exactly that.
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION  = $(shell sed -n 's/^.define PHASE2SIM_VERSION "\(.*\)"/\1/p' analysis/command.h)
INSTALL ?= install

root = $(DESTDIR)$(PREFIX)

# The face of libphase2 and what it includes; then that of the ns-3 application.
headers = $(addprefix model/,base.h cipher.h dh.h gateway.h hash.h policy.h proposal.h reason.h selector.h work.h) \
          $(addprefix bindings/,causes.h cpu.h host.h profile.h ns3c.h phase2-ns3.h phase2-gateway.h \
            ns3c-address.h ns3c-family.h ns3c-ip.h ns3c-packet.h ns3c-policy.h ns3c-stacks.h ns3c-udp.h)

# directory of the installation: its files
installed = bin:$B/phase2sim libexec/phase2sim:$B/phase2sim-worker \
            $(addprefix lib:,$B/libphase2.a $B/libphase2-ns3.a) \
            $(addprefix lib/pkgconfig:,$B/phase2sim.pc $B/phase2sim-ns3.pc) \
            $(addprefix include/phase2sim:,$(headers)) \
            $(addprefix share/phase2sim/scenarios:,$(wildcard scenarios/*.xml)) \
            $(addprefix share/phase2sim/scenarios/profiles:,$(wildcard scenarios/profiles/*.xml)) \
            share/phase2sim:scenarios/phase2sim.xsd \
            $(addprefix share/doc/phase2sim/examples:,$(wildcard bindings/examples/*)) \
            share/man/man1:analysis/phase2sim.1 share/bash-completion/completions:analysis/completion/phase2sim
# Directories that are the program's own, innermost first: they go with the last file.
own = libexec/phase2sim include/phase2sim share/phase2sim/scenarios/profiles share/phase2sim/scenarios share/phase2sim \
      share/doc/phase2sim/examples share/doc/phase2sim

directory_of = $(firstword $(subst :, ,$(1)))
file_of      = $(lastword $(subst :, ,$(1)))
is_program   = $(filter bin libexec/phase2sim,$(call directory_of,$(1)))

define install_one
$(INSTALL) -D -m $(if $(call is_program,$(1)),755,644) $(call file_of,$(1)) '$(root)/$(call directory_of,$(1))/$(notdir $(1))'

endef
define remove_one
rm -f '$(root)/$(call directory_of,$(1))/$(notdir $(1))'

endef

install: all $B/phase2sim.pc $B/phase2sim-ns3.pc
	@$(foreach one,$(installed),$(call install_one,$(one)))
	@echo 'Installed below $(root); uninstall with the same DESTDIR and PREFIX.'

uninstall:
	@$(foreach one,$(installed),$(call remove_one,$(one)))
	@for directory in $(own); do rmdir '$(root)'/$$directory 2>/dev/null || :; done

# Made anew each time: PREFIX may be another one now.
$B/%.pc: bindings/%.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@NS3_LIBS@|$(NS3_LIBS)|' $< >$@
.PHONY: FORCE
