package state

const crashFile = "SEAWALL_TEST_CRASH"

func crashChild() {}
