"""What the end-to-end tests share: the real daemon and clients, and ears for what they play.

tap       sentences as tests, TAP as output
process   children that never outlive a test, folders that never outlive it either
daemon    a salottod of one's own, in a folder of its own, on a free port
client    salotto listen and speak, and the events that they tell
ctl       salottoctl, and the operator's socket spoken directly
sound     WAV files, and speech laid out on a time line
ears      is this voice in that recording, how loud, and when
terminal  a terminal, and somebody typing at it
mounts    file systems that are small, or read only, seen by this test alone
notify    systemd's end of sd_notify
freeze    one thread held still
relay     the network between a client and the daemon: it sees every datagram
ogg       packets of an Ogg/Opus file
peer      an independent client, written from net/PROTOCOL.md alone
noise     its keys, ciphers and handshake
"""
