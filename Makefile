# Salotto. `make help` lists what can be made.

BUILD    ?= build
CC       ?= cc
CFLAGS   ?= -O2 -g
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith
STD       = -std=gnu11 -D_GNU_SOURCE -I. -I$(BUILD)
PKGS_mixer   = opus
PKGS_net     = libsodium libevent libevent_pthreads jansson
PKGS_storage = sqlite3 libsodium
PKGS_client  = portaudio-2.0 sndfile ogg
PKGS_daemon  = inih libsystemd
PKGS_ALL     = $(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_client) $(PKGS_daemon) cmocka
PKG_CFLAGS  := $(shell pkg-config --cflags $(PKGS_ALL) 2>/dev/null)
libs         = $(shell pkg-config --libs $(1))
ALL_CFLAGS   = $(STD) $(WARN) $(CFLAGS) $(SAN) $(PKG_CFLAGS) -pthread -MMD -MP
ALL_LDFLAGS  = $(LDFLAGS) $(SAN) -pthread

objs = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1)/*.c)))

MIXER    = $(BUILD)/libsalotto-mixer.a
NET      = $(BUILD)/libsalotto-net.a
STORAGE  = $(BUILD)/libsalotto-storage.a
PROGRAMS = $(addprefix $(BUILD)/bin/,salottod salotto salottoctl)
unit     = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/$(1)/*.c)))
UNITS    = $(foreach f,mixer net storage salottod salotto salottoctl,$(call unit,$(f)))

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(MIXER): $(call objs,mixer)
$(NET): $(call objs,net)
$(STORAGE): $(call objs,storage) $(BUILD)/storage/schema_sql.o
$(MIXER) $(NET) $(STORAGE):
	@rm -f $@
	$(AR) rcs $@ $^

# The migrations, as one C array in order.
$(BUILD)/storage/schema_sql.c: storage/embed.sh $(sort $(wildcard storage/schema/*.sql))
	@mkdir -p $(@D)
	sh storage/embed.sh $(sort $(wildcard storage/schema/*.sql)) > $@
$(BUILD)/storage/schema_sql.o: $(BUILD)/storage/schema_sql.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/bin/salottod: $(call objs,tools/salottod) $(STORAGE) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_daemon)) -lm
$(BUILD)/bin/salotto: $(call objs,tools/salotto) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_client)) -lm
$(BUILD)/bin/salottoctl: $(call objs,tools/salottoctl) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net)) -lm

# One cmocka program per noun. A program's test links the program's objects, but its main.
$(BUILD)/tests/mixer/%: $(BUILD)/tests/mixer/%.o $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) cmocka) -lm
$(BUILD)/tests/net/%: $(BUILD)/tests/net/%.o $(NET) $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) cmocka) -lm
$(BUILD)/tests/storage/%: $(BUILD)/tests/storage/%.o $(STORAGE) $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_storage) cmocka) -lm
$(BUILD)/tests/salottod/%: $(BUILD)/tests/salottod/%.o $(filter-out %/main.o,$(call objs,tools/salottod)) $(STORAGE) $(NET) $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_daemon) cmocka) -lm
$(BUILD)/tests/salotto/%: $(BUILD)/tests/salotto/%.o $(filter-out %/main.o,$(call objs,tools/salotto)) $(NET) $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_client) cmocka) -lm
$(BUILD)/tests/salottoctl/%: $(BUILD)/tests/salottoctl/%.o $(filter-out %/main.o,$(call objs,tools/salottoctl)) $(NET) $(MIXER)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) cmocka) -lm

.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
