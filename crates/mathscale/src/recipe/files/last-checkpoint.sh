if [ -e output/finished ]; then
    echo "output/ is trained to its end. To train anew, move it away."
    exit 0
fi

# The last checkpoint that is whole: trainer_state.json is the last file of each.
last=
for step in $(ls output 2>/dev/null | sed -n 's/^checkpoint-\([0-9][0-9]*\)$/\1/p' | sort -n); do
    if [ -s "output/checkpoint-$step/trainer_state.json" ]; then
        last=output/checkpoint-$step
    fi
done
if [ -n "$last" ]; then
    echo "continuing from $last"
fi
