"""What is measured of a run: time, memory, statistics, NaN, and the peak of a device."""
