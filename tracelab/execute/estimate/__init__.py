"""What a graph costs at other sizes, without data: operations, bytes moved, memory."""
