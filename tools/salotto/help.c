/* help.c - what `salotto help` says (see help.h) */
#include "tools/salotto/help.h"

#include "tools/language.h"

#include <stddef.h>
#include <stdio.h>

#define HELP_MAX 8192

static const char who[] = N_("  --handle NAME     what you are called in the room [your login name]\n"
                             "  --identity FILE   the key that is you [~/.config/salotto/identity]\n"
                             "  --accept-new      take a server that you have not been at before without asking\n");

static const char sound[] =
    N_("  --device NAME     a sound device, by part of its name or by its number in `salotto devices`\n"
       "  --output FILE     hear into a file instead: FILE.wav is what an ear would have heard, FILE.opus the packets\n"
       "                    as they came, - is WAV on standard output\n");

static const char scripts[] =
    N_("  --json            what happens as lines of JSON, on standard output (with --output - on standard error)\n"
       "  --packets FILE    keep each datagram of sound as it came, each after its length (u16, big-endian)\n");

static const char all_0[] = N_(
    "usage: salotto listen LINK [options]     hear a room\n"
    "       salotto speak LINK [options]      be heard in it, and hear it\n"
    "       salotto test LINK [options]       hear what you sound like for others\n"
    "       salotto devices                   list loudspeakers and microphones\n"
    "       salotto id [LINK]                 show who you are to servers, or who a server is\n"
    "       salotto help [COMMAND]            say more\n"
    "       salotto --version\n"
    "\n"
    "A link looks like salotto://HOST[:PORT]/ROOM?k=KEY; put it between quotes. An invite is a link with a token.\n"
    "\n"
    "examples:\n"
    "  salotto listen 'salotto://radio.example/piazza?k=KEY'\n"
    "  salotto listen 'salotto://radio.example/piazza?k=KEY' --output talk.wav --seconds 60\n"
    "  salotto speak 'salotto://radio.example/piazza?k=KEY'\n"
    "  salotto speak 'salotto://radio.example/piazza?k=KEY' --input jingle.flac\n"
    "  salotto test 'salotto://radio.example/piazza?k=KEY'\n"
    "\n"
    "In a room, on a terminal: m mutes and unmutes you, h raises and lowers your hand, t changes the tier, q leaves.\n"
    "With speak --ptt, space opens the microphone: hold it, or tap it to stay open and again to close.\n"
    "Colours appear on terminals only, and not where NO_COLOR is set or TERM is dumb.\n"
    "\n"
    "Exit codes: 0 done, 1 internal, 2 usage, 3 no such room, 4 not allowed, 5 unreachable, 6 wrong server key,\n"
    "7 sound device or file, 8 state files, 9 sent away (kicked, banned, room ended), 10 replaced by yourself\n"
    "elsewhere, 11 interrupted before the work was done.\n");

static const char listen_0[] = N_(
    "usage: salotto listen LINK [options]\n"
    "\n"
    "Hears a room until you leave (q or Ctrl-C), or for so many seconds. When a moderator promotes you, you can\n"
    "speak at once: with --input the file is said, otherwise the microphone opens, muted unless your hand was raised.\n"
    "\n"
    "  --tier TIER       low: 12 kbit/s, for mobile data; standard: 32 kbit/s, full band, lowest delay [low]\n"
    "  --seconds N       leave after N seconds, counted from the first sound or, while nobody speaks, from joining\n");

static const char listen_1[] =
    N_("  --input FILE      what to say when you are promoted (WAV, FLAC, Ogg …; - is standard input)\n"
       "  --loop            and again from the beginning\n");

static const char listen_2[] = N_("\n"
                                  "examples:\n"
                                  "  salotto listen 'salotto://radio.example/piazza?k=KEY' --tier standard\n"
                                  "  salotto listen 'salotto://radio.example/piazza?k=KEY' --output evening.opus\n"
                                  "  salotto listen 'salotto://radio.example/piazza?k=KEY' --output - | aplay\n");

static const char speak_0[] = N_(
    "usage: salotto speak LINK [options]\n"
    "\n"
    "Joins a room to speak. With an invite you are on stage at once; with a plain link your hand is raised, and you\n"
    "speak when a moderator promotes you. You hear the room meanwhile, without your own voice.\n"
    "\n"
    "  --input FILE      say a sound file instead of the microphone (WAV, FLAC, Ogg …; - is standard input), and\n"
    "                    leave at its end\n"
    "  --loop            say it again and again\n"
    "  --seconds N       leave after N seconds, counted from the first sound or, while nobody speaks, from joining\n"
    "  --ptt             push to talk: begin muted, and open the microphone with the space key. Held, it is open "
    "until\n"
    "                    you let go; tapped, it stays open until the next tap. Needs a terminal; m works as well\n"
    "  --tier TIER       what you hear: low or standard [standard]\n");

static const char speak_1[] =
    N_("\n"
       "examples:\n"
       "  salotto speak 'salotto://radio.example/piazza?k=KEY&token=TOKEN'\n"
       "  salotto speak 'salotto://radio.example/piazza?k=KEY' --input talk.flac --output room.wav\n"
       "  salotto speak 'salotto://radio.example/piazza?k=KEY' --device 'USB Headset' --handle anna\n"
       "  salotto speak 'salotto://radio.example/piazza?k=KEY' --ptt\n");

static const char test_0[] = N_(
    "usage: salotto test LINK [options]\n"
    "\n"
    "Tries out your sound and your way to the server: records you for five seconds, sends it through a room of that\n"
    "server in which nobody but you can be, says how loud you are, what was lost and how long it took, and plays what\n"
    "came back. LINK may be that of any room; nobody in it notices. Without a microphone take a sound file, and "
    "without\n"
    "a loudspeaker write one.\n"
    "\n"
    "Levels are in dBFS, where 0 is the loudest that there is: speech is well recorded around -20. The delay is that\n"
    "from mouth to ear, without what microphone and loudspeaker add.\n"
    "\n"
    "  --input FILE      say the first five seconds of a sound file instead (WAV, FLAC, Ogg …; - is standard input)\n"
    "  --output FILE     write what came back as FILE.wav instead of playing it; - is standard output\n"
    "  --device NAME     a sound device, by part of its name or by its number in `salotto devices`\n"
    "  --tier TIER       what comes back: low or standard [standard]\n"
    "  --identity FILE   the key that is you [~/.config/salotto/identity]\n"
    "  --accept-new      take a server that you have not been at before without asking\n"
    "  --json            what was found out as one line of JSON (with --output - on standard error)\n"
    "\n"
    "examples:\n"
    "  salotto test 'salotto://radio.example/piazza?k=KEY'\n"
    "  salotto test 'salotto://radio.example/piazza?k=KEY' --device 'USB Headset' --tier low\n"
    "  salotto test 'salotto://radio.example/piazza?k=KEY' --input talk.flac --output heard.wav\n");

static const char devices_0[] = N_(
    "usage: salotto devices [--json]\n"
    "\n"
    "Lists loudspeakers and microphones with the numbers and names that --device takes. `default` and `pulse` lead to\n"
    "whatever the desktop has chosen.\n"
    "\n"
    "  --json            as one line of JSON\n"
    "\n"
    "example:\n"
    "  salotto listen 'salotto://radio.example/piazza?k=KEY' --device pulse\n");

static const char id_0[] = N_(
    "usage: salotto id [LINK] [--identity FILE] [--json]\n"
    "\n"
    "Shows the key by which servers know you, its fingerprint, and the file that holds its secret half, and makes one\n"
    "where there is none. Roles and bans belong to the key: keep a copy of the file, and show it to nobody.\n"
    "\n"
    "With a LINK, shows the key of the server behind it: the link's own, or the one that you have met\n"
    "there. Nothing is sent to the server.\n"
    "\n"
    "`spoken` is the fingerprint in ten words, to be compared by voice: whoever reads out the same words\n"
    "has the same key (100 bits of its SHA-256; to find another key with these words is out of reach). A\n"
    "server's words are shown when you are first asked whether you trust it, and whoever runs it sees them\n"
    "with `salotto id LINK` as well.\n"
    "\n"
    "  --identity FILE   the key that is meant [~/.config/salotto/identity]\n"
    "  --json            as one line of JSON\n"
    "\n"
    "examples:\n"
    "  salotto id\n"
    "  salotto id 'salotto://radio.example/piazza?k=KEY'\n");

static const char *const parts[][8] = {
    [ARGS_HELP] = {all_0},
    [ARGS_LISTEN] = {listen_0, sound, listen_1, who, scripts, listen_2},
    [ARGS_SPEAK] = {speak_0, sound, who, scripts, speak_1},
    [ARGS_TEST] = {test_0},
    [ARGS_DEVICES] = {devices_0},
    [ARGS_ID] = {id_0},
};

const char *help_text(enum args_command command)
{
    static char text[HELP_MAX];
    size_t at = 0;

    for (const char *const *part = parts[command]; *part != NULL && at < sizeof text; part++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", _(*part));
    return text;
}
