"""The player built in: files of the music folders through miniaudio."""
