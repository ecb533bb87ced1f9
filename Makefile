# Salotto. `make help` lists what can be made; `make V=1` shows the commands.

BUILD      ?= build
CC         ?= cc
CFLAGS     ?= -O2 -g
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
STATE      ?= state
PORT       ?= 7256
HTTP_PORT  ?= 8080

WARN       = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith
STD        = -std=gnu11 -D_GNU_SOURCE -I. -I$(BUILD)

PKGS_mixer   = opus
PKGS_net     = libsodium libevent libevent_pthreads jansson
PKGS_storage = sqlite3 libsodium
PKGS_client  = portaudio-2.0 sndfile ogg
PKGS_daemon  = inih libsystemd
PKGS_ALL     = $(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_client) $(PKGS_daemon)
PKG_CFLAGS  := $(shell pkg-config --cflags $(PKGS_ALL) 2>/dev/null || echo missing)
libs         = $(shell pkg-config --libs $(1))
ALL_CFLAGS   = $(STD) $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) $(PKG_CFLAGS) -pthread -MMD -MP
ALL_LDFLAGS  = $(LDFLAGS) $(SAN) -pthread

SAY  = $(if $(V),,@echo '  $@' &&)
objs = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1)/*.c)))

MIXER    = $(BUILD)/libsalotto-mixer.a
NET      = $(BUILD)/libsalotto-net.a
STORAGE  = $(BUILD)/libsalotto-storage.a
SHARED   = $(call objs,tools) $(BUILD)/storage/nearest.o
PROGRAMS = $(addprefix $(BUILD)/bin/,salottod salotto salottoctl)
LANGUAGES  = $(patsubst etc/po/%.po,%,$(sort $(wildcard etc/po/*.po)))
CATALOGUES = $(LANGUAGES:%=$(BUILD)/share/locale/%/LC_MESSAGES/salotto.mo)
PAGES    = $(patsubst etc/man/%,$(BUILD)/man/%,$(sort $(wildcard etc/man/*.[0-9])))
unit     = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/$(1)/*.c)))
UNITS    = $(foreach f,mixer net storage tools salottod salotto salottoctl,$(call unit,$(f)))
SOURCES  = $(sort $(shell find mixer net storage tools tests -name '*.[ch]'))

.PHONY: all
all: $(PROGRAMS) $(CATALOGUES) $(PAGES) ## build the programs into build/bin (the default)
	@:

# Packages are looked for when this file is read, so whoever installs them makes the rest with a new make.
# `packages` holds up the first compilation when some are missing, and says what to do.
.PHONY: packages
packages:
ifeq ($(PKG_CFLAGS),missing)
	@echo 'Some packages are missing. `make deps` installs them.' >&2
	@false
endif

$(BUILD)/%.o: %.c | packages
	@mkdir -p $(@D)
	$(SAY) $(CC) $(ALL_CFLAGS) -c -o $@ $<

$(MIXER): $(call objs,mixer)
$(NET): $(call objs,net)
$(STORAGE): $(call objs,storage) $(BUILD)/storage/schema_sql.o
$(MIXER) $(NET) $(STORAGE):
	@rm -f $@
	$(SAY) $(AR) rcs $@ $^

# The migrations, as one C array in order.
$(BUILD)/storage/schema_sql.c: storage/embed.sh $(sort $(wildcard storage/schema/*.sql))
	@mkdir -p $(@D)
	$(SAY) sh storage/embed.sh $(sort $(wildcard storage/schema/*.sql)) > $@
$(BUILD)/storage/schema_sql.o: $(BUILD)/storage/schema_sql.c
	$(SAY) $(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/bin/salottod: $(call objs,tools/salottod) $(SHARED) $(STORAGE) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(SAY) $(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_daemon)) -lm
$(BUILD)/bin/salotto: $(call objs,tools/salotto) $(SHARED) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_client)) -lm
$(BUILD)/bin/salottoctl: $(call objs,tools/salottoctl) $(SHARED) $(NET) $(MIXER)
	@mkdir -p $(@D)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net)) -lm

# What the programs say in other languages. Each catalogue lies where gettext's tools look for it, and once more by a
# link where the programs do (tools/language.c says why).
$(BUILD)/share/locale/%/LC_MESSAGES/salotto.mo: etc/po/%.po
	@mkdir -p $(@D) $(BUILD)/share/salotto/C/LC_MESSAGES
	$(SAY) msgfmt --check -o $@ $<
	@ln -sfn ../../../locale/$*/LC_MESSAGES/salotto.mo $(BUILD)/share/salotto/C/LC_MESSAGES/salotto-$*.mo

.PHONY: pot po
pot: ## gather the texts to translate into etc/po/salotto.pot
	@sh etc/po/gather.sh etc/po/salotto.pot
po: pot ## bring etc/po/*.po up to the texts there are; what is new there waits for its translation
	@for po in $(LANGUAGES:%=etc/po/%.po); do \
		msgmerge --quiet --update --backup=none --no-wrap --no-fuzzy-matching --add-location=file $$po etc/po/salotto.pot; \
	done

# The manual pages: by hand, but for what the command table knows.
$(BUILD)/manual: $(call objs,tools/manual) $(filter-out %/main.o,$(call objs,tools/salottod)) $(SHARED) $(STORAGE) $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_daemon)) -lm
$(BUILD)/man/%: etc/man/% $(BUILD)/manual
	@mkdir -p $(@D)
	$(SAY) $(BUILD)/manual < $< > $@

# One cmocka program per noun. A program's test links the program's objects, but its main.
$(BUILD)/tests/mixer/%: $(BUILD)/tests/mixer/%.o $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(call libs,$(PKGS_mixer) cmocka) -lm
$(BUILD)/tests/net/%: $(BUILD)/tests/net/%.o $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) cmocka) -lm
$(BUILD)/tests/storage/%: $(BUILD)/tests/storage/%.o $(STORAGE) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_storage) cmocka) -lm
$(BUILD)/tests/salottod/%: $(BUILD)/tests/salottod/%.o $(filter-out %/main.o,$(call objs,tools/salottod)) $(SHARED) $(STORAGE) $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_storage) $(PKGS_daemon) cmocka) -lm
$(BUILD)/tests/salotto/%: $(BUILD)/tests/salotto/%.o $(filter-out %/main.o,$(call objs,tools/salotto)) $(SHARED) $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) $(PKGS_client) cmocka) -lm
$(BUILD)/tests/salottoctl/%: $(BUILD)/tests/salottoctl/%.o $(filter-out %/main.o,$(call objs,tools/salottoctl)) $(SHARED) $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net) cmocka) -lm

$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(SHARED) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -o $@ $^ $(call libs,$(PKGS_mixer) cmocka) -lm

# To preload. rt_trap aborts when a tick allocates, waits or does I/O (it finds rt_depth in programs linked with
# -rdynamic); true_sleep keeps libfaketime from bending sleeps.
$(BUILD)/tests/rt_trap.so $(BUILD)/tests/true_sleep.so: $(BUILD)/tests/%.so: tests/%.c
	@mkdir -p $(@D)
	$(SAY) $(CC) $(STD) $(WARN) $(CFLAGS) -fPIC -shared -o $@ $<
$(BUILD)/tests/mixer/rt_trap_check: | $(BUILD)/tests/rt_trap.so

# The mixer offline: sound files in, what a listener hears out.
$(BUILD)/tests/lab/mixdown: $(addprefix $(BUILD)/,$(addsuffix .o,$(addprefix tests/lab/,mixdown source trace) \
		$(addprefix tools/salotto/,sound_in resample wav_out))) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(call libs,$(PKGS_mixer) sndfile) -lm

# What a fresh checkout asks for: packages first, then a new make that sees them.

# In a terminal's foreground (proc(5): pgrp and tpgid) the demo becomes a job of its own, so that Ctrl-C ends the demo
# and not make. It ends with the shell that started it, however that ended.
FOREGROUND = read -r _ _ _ _ pgrp _ _ tpgid _ </proc/$$$$/stat; [ $$pgrp != $$tpgid ] || set -m; \
	setpriv --pdeathsig TERM
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: deps run check asan tsan
deps: ## install the packages that building and testing need
	@sh etc/deps.sh check

run: ## packages, build, and a demo room with three speakers; Ctrl-C ends it
	@sh etc/deps.sh run
	@$(MAKE) --no-print-directory $(JOBS) all
	@export BUILD=$(BUILD) STATE=$(STATE) PORT=$(PORT) HTTP_PORT=$(HTTP_PORT); $(FOREGROUND) sh etc/demo.sh

check: ## packages, build, every test
	@sh etc/deps.sh check
	@$(MAKE) --no-print-directory $(JOBS) test-programs
	@BUILD=$(BUILD) sh tests/prove.sh $(TESTS)

asan: ## the tests under address and undefined behaviour sanitizers
	@sh etc/deps.sh check
	@$(MAKE) --no-print-directory $(JOBS) BUILD=$(ASAN) CFLAGS='-O1 -g' \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' test-programs
	@BUILD=$(ASAN) $(STILL) sh tests/prove.sh $(patsubst $(BUILD)/%,$(ASAN)/%,$(UNITS)) $(E2E_SANITIZED)

tsan: ## the tests under the thread sanitizer (clang)
	@sh etc/deps.sh check
	@$(MAKE) --no-print-directory $(JOBS) BUILD=$(TSAN) CC=clang CFLAGS='-O1 -g' SAN=-fsanitize=thread test-programs
	@BUILD=$(TSAN) $(STILL) sh tests/prove.sh $(patsubst $(BUILD)/%,$(TSAN)/%,$(UNITS)) tests/e2e/roles.py

ASAN = build/asan
TSAN = build/tsan
# Sanitizers of this age do not find their way where a kernel scatters addresses over 32 bits.
STILL = $(shell setarch -R true 2>/dev/null && echo setarch -R)
RULES         = $(wildcard tests/rt_safe.sh) tests/includes.sh tests/format.sh tests/catalogues.sh $(wildcard tests/net/*.py)
TEST_EXTRAS   = $(BUILD)/tests/rt_trap.so $(BUILD)/tests/true_sleep.so $(BUILD)/tests/lab/mixdown
E2E           = $(sort $(wildcard tests/e2e/*.py))
E2E_SANITIZED = $(addprefix tests/e2e/,three_speakers.py mute.py sent_away.py roles.py bad_input.py kill9.py crossing.py \
		stopping.py)
TESTS         = $(RULES) $(UNITS) $(E2E)

.PHONY: test-programs
test-programs: $(PROGRAMS) $(CATALOGUES) $(PAGES) $(UNITS) $(TEST_EXTRAS) build/speech/done
	@:

# Recorded speech for the tests: decoded once, shared by all builds.
build/speech/done: tests/speech.sh
	sh tests/speech.sh build/speech

.PHONY: transcript
transcript: ## write the evening that README.md shows, as it happens now
	@sh etc/deps.sh check
	@$(MAKE) --no-print-directory --silent $(JOBS) all build/speech/done
	@BUILD=$(BUILD) tests/e2e/transcript.py --write

.PHONY: format format-check
format: ## lay out all C as .clang-format says
	clang-format -i $(SOURCES)
format-check: ## fail when `make format` would change something
	@sh tests/format.sh

# Debian's zsh looks for what packages bring in a folder of its own.
BASH_COMPLETION = $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION  = $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

# What is installed, as KIND:FROM:TO (etc/install.sh).
BINDIR   = $(PREFIX)/bin
UNITDIR ?= $(PREFIX)/lib/systemd/system
SHAREDIR = $(PREFIX)/share
INSTALLED = $(foreach p,$(PROGRAMS),755:$(p):$(BINDIR)/$(notdir $(p))) \
	fill:etc/salottod.service:$(UNITDIR)/salottod.service \
	fill:etc/salottod.sysusers:$(PREFIX)/lib/sysusers.d/salotto.conf \
	conf:etc/salottod.conf:$(SYSCONFDIR)/salotto/salottod.conf \
	$(foreach m,$(PAGES),644:$(m):$(SHAREDIR)/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	$(foreach l,$(LANGUAGES),644:$(BUILD)/share/locale/$(l)/LC_MESSAGES/salotto.mo:$(SHAREDIR)/locale/$(l)/LC_MESSAGES/salotto.mo \
		link:../../../locale/$(l)/LC_MESSAGES/salotto.mo:$(SHAREDIR)/salotto/C/LC_MESSAGES/salotto-$(l).mo) \
	644:etc/completion/salotto.bash:$(BASH_COMPLETION)/salotto \
	link:salotto:$(BASH_COMPLETION)/salottod \
	link:salotto:$(BASH_COMPLETION)/salottoctl \
	644:etc/completion/_salotto:$(ZSH_COMPLETION)/_salotto
INSTALLER = DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' SYSCONFDIR='$(SYSCONFDIR)' sh etc/install.sh

.PHONY: install uninstall deb
install: all ## install under PREFIX (/usr/local), configuration under SYSCONFDIR (/etc); DESTDIR goes before both
	@$(INSTALLER) install $(INSTALLED)
uninstall: ## remove what `make install` has put there; a changed configuration and the state stay
	@$(INSTALLER) uninstall $(INSTALLED)
	@[ ! -e $(DESTDIR)/var/lib/salotto ] || echo 'kept, with database and key: $(DESTDIR)/var/lib/salotto'
deb: ## build the Debian package into build/deb, and look it over with lintian
	@sh etc/deps.sh deb
	@sh etc/deb.sh

.PHONY: fresh fresh-systemd
fresh: ## the README's two commands on a new Debian 12 (root; half an hour)
	@sh etc/deps.sh fresh
	@sh tests/fresh/fresh.sh
fresh-systemd: deb ## the package on a new Debian 12 with systemd as init (root)
	@sh etc/deps.sh fresh
	@sh tests/fresh/systemd.sh

.PHONY: clean help
clean: ## remove what was built; ./state stays
	rm -rf build $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r t d; do printf '  make %-14s %s\n' "$$t" "$$d"; done

# Static analysis. Each source is compiled with gcc's analyzer and read by clang-tidy; cppcheck reads them all at once.
# What was clean and has not changed since is not read again.
ANALYSIS = build/analyze
ANALYSED = $(filter %.c,$(SOURCES))
CHECKED  = $(addprefix $(BUILD)/,$(addsuffix .tidy,$(ANALYSED)) cppcheck)
CPPCHECK = cppcheck -j2 --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--library=posix,gnu,tests/cppcheck.cfg --suppressions-list=tests/cppcheck.suppressions --error-exitcode=1 \
		--template='{file}:{line}: {severity}: {message} [{id}]' -D_GNU_SOURCE -I. -I$(BUILD)

.PHONY: analyze analyzed
analyze: ## clang-tidy, cppcheck and gcc's analyzer over all C
	@sh etc/deps.sh analyze
	@$(MAKE) --no-print-directory --keep-going --output-sync $(JOBS) BUILD=$(ANALYSIS) CC=gcc SAN=-fanalyzer analyzed
	@echo 'analyze: $(words $(ANALYSED)) sources, nothing found'
analyzed: $(CHECKED)
	@:
# Not of the tests: cmocka's asserts leave by longjmp, which this analyzer takes for going on.
$(ANALYSIS)/tests/%.o: override SAN =
$(BUILD)/%.c.tidy: %.c .clang-tidy tests/.clang-tidy $(BUILD)/%.o
	$(SAY) clang-tidy --quiet $< -- $(STD) $(PKG_CFLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@
$(BUILD)/cppcheck: $(SOURCES) tests/cppcheck.cfg tests/cppcheck.suppressions
	@mkdir -p $(BUILD)/cppcheck.cache
	$(SAY) $(CPPCHECK) --cppcheck-build-dir=$(BUILD)/cppcheck.cache mixer net storage tools tests
	@touch $@

# Coverage: what of each folder the tests run. Programs that a test kills outright take their counts with them.
COVER = build/cover
# Not those that have make build, with other flags than these, nor those that run as somebody who may not write counts.
COVERED = $(filter-out $(addprefix tests/e2e/,newcomer.py unit_file.py ordinary_user.py),$(E2E))

.PHONY: cover
cover: ## line and branch coverage by folder; fails when much of mixer, net or storage is not tested
	@sh etc/deps.sh cover
	@$(MAKE) --no-print-directory $(JOBS) BUILD=$(COVER) CC=gcc CFLAGS='-O0 -g' \
		SAN='--coverage -fprofile-update=atomic' test-programs
	@find $(COVER) -name '*.gcda' -delete
	@BUILD=$(COVER) sh tests/prove.sh $(patsubst $(BUILD)/%,$(COVER)/%,$(UNITS)) $(COVERED); \
		tests=$$?; tests/cover.py $(COVER) && exit $$tests

# Fuzzing (libFuzzer, clang). What a run has learnt lies in build/fuzz/corpus for the next one; an input that breaks
# something is kept beside it.
FUZZ    = build/fuzz
FUZZ_S ?= 20
FUZZERS = $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))

.PHONY: fuzz fuzz-programs
fuzz: ## fuzz each reader of bytes from outside for FUZZ_S seconds (20)
	@$(MAKE) --no-print-directory BUILD=$(FUZZ) CC=clang CFLAGS='-O1 -g' \
		SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzz-programs
	@sh tests/fuzz/seeds.sh $(FUZZ)/corpus
	@for f in $(FUZZERS); do \
		echo "fuzz: $$f, $(FUZZ_S) s"; \
		$(FUZZ)/tests/fuzz/$$f -max_total_time=$(FUZZ_S) -max_len=4096 -len_control=0 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ)/$$f- $(FUZZ)/corpus/$$f >$(FUZZ)/$$f.log 2>&1 || { tail -n 60 $(FUZZ)/$$f.log; exit 1; }; \
		grep number_of_executed_units $(FUZZ)/$$f.log; \
	done
fuzz-programs: $(patsubst %,$(BUILD)/tests/fuzz/%,$(FUZZERS))
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(NET) $(MIXER)
	$(SAY) $(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(call libs,$(PKGS_mixer) $(PKGS_net)) -lm

.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -path $(BUILD)/fresh -prune -o -type f -name '*.d' -print 2>/dev/null)
