package cli

const stolenKeyTopic = `A key that somebody else may have is given up with one command, signed by the
recovery key, from a machine that you trust:

  distrust key compromised laptop --key recovery.key
  distrust sync

From then on nothing that the key ever signed counts, and nobody who follows you
accepts a head of the thief any more, whether they saw yours or the thief's
first. What lies at the remote is put under your log; nothing has to be forced.

  --keep-before DATE  what the key signed before counts on. A thief can date
                      back: what came into your home with the thief's heads
                      looks as early as the thief liked. Look with --dry-run.
  --back-to N         sync has brought heads of the thief: go on from head N,
                      the last one that is yours. Keys and records that came
                      later are left out. What your other keys signed since
                      waits for you to look at: distrust seal

Afterwards: if only the recovery key is left to sign, give this machine a key
with distrust key add KEY --key recovery.key. A line with the fingerprint of
the stolen key leads nobody to you any more: put out a new one, distrust share.
If sync cannot read what lies at the remote at all, distrust git push --force
puts yours there.

Who follows you for the first time with the old line is refused after your
sync, and is the thief's before it. Who follows you already ends on your log.

Without a recovery key a thief cannot be beaten. Another key of yours may give
up the stolen one, but the thief can do the same to it, and add a recovery key
of their own: who was faster has the log. Then begin a new log, and tell those
who follow you in another way. So add one early, and keep it off your machines:

  ssh-keygen -t ed25519 -f recovery.key
  distrust key add recovery.key.pub --recovery
`
