# The guest's records on its disks: three sectors, each one line of text padded to 512 bytes.
#
#   +0  stackward-guest MARK     random, written once: another mark is another disk
#   +1  BOOTS BOOT TICK          root disk only: how often it was booted, who ran last and how far
#   +2  NOTE                     what `write` was told to keep
#
# The root disk keeps them behind its FAT, a data disk at its start.
# One sector each, because a sector is written whole or not at all.
magic=stackward-guest
. /etc/guest.conf

# first_sector DISK -> $first
first_sector() {
    first=0
    [ "$1" != vda ] || first=$state_sector
}

# inspect_disk DISK -> $mark (an id, or blank, foreign, error), $boots, $last_boot, $last_tick, $note
# Read past the page cache: what is told is what the disk holds.
inspect_disk() {
    mark=error boots=0 last_boot=none last_tick=0 note=-
    first_sector "$1"
    dd if="/dev/$1" of="/run/disks/$1" bs=512 skip="$first" count=3 iflag=direct 2>/dev/null || return 0
    {
        read -r found_magic found_mark
        read -r found_boots found_boot found_tick
        read -r found_note
    } <"/run/disks/$1"
    if [ "$found_magic" = "$magic" ]; then
        mark=$found_mark boots=$found_boots last_boot=$found_boot last_tick=$found_tick note=$found_note
    elif [ -z "$(tr -d '\0' <"/run/disks/$1" | head -c 1)" ]; then
        mark=blank
    else
        mark=foreign # somebody's data: never written to
    fi
}

# put_sector DISK OFFSET TEXT: on the disk when it returns.
put_sector() {
    first_sector "$1"
    printf '%-511s\n' "$3" >"/run/disks/$1.$2"
    dd if="/run/disks/$1.$2" of="/dev/$1" bs=512 seek=$((first + $2)) count=1 \
        oflag=direct conv=notrunc,fsync 2>/dev/null
}

# mark_disk DISK: make a blank disk ours. The magic goes last: before it the disk still counts as foreign or blank.
mark_disk() {
    read -r uuid </proc/sys/kernel/random/uuid
    put_sector "$1" 2 - && put_sector "$1" 1 "0 none 0" && put_sector "$1" 0 "$magic ${uuid%%-*}"
}

# record_run BOOTS BOOT TICK: who runs from the root disk.
record_run() {
    case $mark in
        blank | foreign | error) ;;
        *) put_sector vda 1 "$1 $2 $3" ;;
    esac
}
